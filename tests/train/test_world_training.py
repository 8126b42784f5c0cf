"""A whole training of a world, from a recording to a bundle that can be played."""

from pathlib import Path

import numpy as np
import pytest
import tiny_world
from lm_trainings import SHORT, fit

from framecast.data import SpriteWorld
from framecast.data.worlds.recording import RecordingWriter
from framecast.sample import load_bundle
from framecast.train.checkpoint_bundle import export_checkpoint

FOLDER = """
data:
  init_args:
    source:
      class_path: framecast.data.VideoFolder
      init_args: {{root: {root}, num_frames: 5, size: 32}}
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    """Three episodes of 40 frames, with rewards and ends."""
    folder = tmp_path_factory.mktemp("world") / "recording"
    with RecordingWriter(folder, tiny_world.SPACE, 12.0) as writer:
        for number in range(3):
            frames, actions = SpriteWorld(num_frames=40, size=32)[number].frames.numpy(), tiny_world.actions(40, number).numpy()
            writer.add(frames, actions, np.arange(40.0), np.arange(40) == 39, seed=number)
    return folder


def test_a_recording_becomes_a_world(recording, bundle, tmp_path):
    (tmp_path / "recording.yaml").write_text(FOLDER.format(root=recording))
    heads = ["--model.init_args.lm.rewards=true", "--model.init_args.lm.ends=true", "--model.init_args.action_dropout=0.2"]
    few = ["--samples.num_continuations=1", "--samples.num_prompts=0", "--samples.num_held=1", "--trainer.max_steps=2"]
    rows = ["--model.init_args.blocks.token=0", "--model.init_args.blocks.frame=0"]
    options = [*SHORT, "--config", str(tmp_path / "recording.yaml"), *heads, *few, *rows]
    fit(tmp_path / "run", bundle, tmp_path / "shards", *options)
    made = load_bundle(tmp_path / "run" / "bundle")
    assert made.action_space == tiny_world.SPACE
    assert (made.lm.config.num_actions, made.lm.config.action_frames) == (3, 4)
    assert [start.name for start in made.starts] == [f"start {number}" for number in range(1, 5)]
    assert made.starts[0].tokens.shape == (2, 4, 4) and made.generator().stream("a video", start="start 2").num_latent_frames == 2
    metrics = made.training["metrics"]
    assert {"val/nats_row_other_actions", "val/reward_loss_row", "val/end_loss_row"} <= set(metrics)
    assert "Actions: left (ArrowLeft), right (ArrowRight), gas from -1 to 1." in (made.path / "README.md").read_text()
    assert len(made.generator().generate("a video", 5, actions="left*4").frames) == 5
    again = load_bundle(export_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt", tmp_path / "again"))
    assert again.hashes["starts.safetensors"] == made.hashes["starts.safetensors"]
    assert again.action_space == made.action_space and again.hashes["lm.safetensors"] == made.hashes["lm.safetensors"]
