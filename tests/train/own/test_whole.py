"""The whole line, from a folder of videos to a model, its samples and its report."""

import json

import numpy as np
import pytest
import tiny_world

import framecast
from framecast.cli import main
from framecast.data import SpriteWorld, write_video
from framecast.data.worlds.recording import RecordingWriter
from framecast.sample import load_bundle
from framecast.train.own.run import is_trained


@pytest.fixture(scope="module")
def sprites(tmp_path_factory):
    """Eight captioned videos of 33 frames."""
    folder = tmp_path_factory.mktemp("sprites")
    world = SpriteWorld(num_clips=8, num_frames=33, size=32)
    with (folder / "captions.jsonl").open("w") as captions:
        for number in range(8):
            write_video(folder / f"{number}.mkv", world[number].frames, 12.0)
            captions.write(json.dumps({"file": f"{number}.mkv", "caption": world[number].captions[0].text}) + "\n")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_line_makes_a_model_and_its_commands_make_the_same(sprites, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["train", str(sprites), "--size", "32", "--minutes", "0.1", "--licence", "CC0-1.0"]
    assert main(line) == 0
    out = tmp_path / "runs" / "mine"
    assert {path.name for path in out.iterdir()} >= {"bundle", "lm", "plan.json", "samples", "tokenizer", "tokens"}
    sheets = {path.name for path in (out / "samples").iterdir()}
    assert {"continuations.png", "continuation_1.mp4", "prompt_1.mp4"} <= sheets
    clip = framecast.load_generator(out / "bundle").generate("a red circle moves right", 5)
    assert clip.frames.shape == (5, 32, 32, 3)
    assert "CC0-1.0" in (out / "bundle" / "README.md").read_text()
    assert is_trained(out / "bundle", 20)

    other = [f"--trainer.default_root_dir={tmp_path / 'other'}", f"--export.folder={tmp_path / 'other' / 'bundle'}"]
    assert main(["train", "fit", "--config", str(out / "tokenizer.yaml"), *other]) == 0
    pasted, made = load_bundle(tmp_path / "other" / "bundle"), load_bundle(out / "tokenizer" / "bundle")
    assert pasted.hashes["tokenizer.safetensors"] == made.hashes["tokenizer.safetensors"]

    capsys.readouterr()
    assert framecast.train(sprites, size=32, minutes=0.1, licence="CC0-1.0").bundle.resolve() == out / "bundle"
    assert "lm: trained already." in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_line_makes_a_world_of_a_recording(tmp_path, monkeypatch, capsys):
    with RecordingWriter(tmp_path / "recording", tiny_world.SPACE, 12.5) as writer:
        for number in range(6):
            frames, actions = SpriteWorld(num_frames=90, size=32)[number].frames.numpy(), tiny_world.actions(90, number).numpy()
            writer.add(frames, actions, np.ones(90), np.arange(90) == 89)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "recording", "--size", "32", "--minutes", "0.1"]) == 0
    assert "becomes a world to play in: left, right, gas." in capsys.readouterr().out
    out = tmp_path / "runs" / "mine"
    made = load_bundle(out / "bundle")
    assert made.action_space == tiny_world.SPACE and made.tokenizer.temporal_stride == 1 and made.fps == 12.5
    assert made.lm.config.rewards and made.lm.config.ends
    assert {"held_nothing.mp4", "held_left.mp4", "held_gas_1.mp4"} <= {path.name for path in (out / "samples").iterdir()}
    assert (out / "report" / "index.html").is_file()
