"""The whole evaluation from the command line: a page, its JSON, and going on where it was stopped."""

import json
from dataclasses import replace
from functools import partial

import pytest
import real_videos
import ring_env
import tiny
import tiny_bundle
import tiny_world
from played_worlds import SETTINGS, SPACE

from framecast.cli import main
from framecast.evaluate import evaluate_bundles, parts, suite
from framecast.evaluate.figures import Section
from framecast.evaluate.settings import Settings
from framecast.evaluate.study import Study
from framecast.evaluate.worlds import keys, returns
from framecast.evaluate.worlds.action_net import train_action_net
from framecast.sample import load_bundle
from framecast.tokenizer import FSQ

ARGUMENTS = ["evaluate", "--quick", "--clips", "2", "--only", "tokenizer-sprites", "steering"]


def test_a_report_is_written_and_a_second_run_measures_nothing_again(tmp_path, monkeypatch, capsys):
    out = tmp_path / "report"
    assert main([*ARGUMENTS, "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip().endswith("index.html")
    report = json.loads((out / "report.json").read_text())
    assert [section["name"] for section in report["bundles"][0]["sections"]] == ["tokenizer-sprites", "steering"]
    assert report["protocol"]["settings"]["clips"] == 2
    assert "no scene does" in str(report["protocol"]["bundles"])

    def fails(study, progress):
        raise AssertionError("measured again")

    monkeypatch.setitem(suite.SECTIONS, "steering", fails)
    assert main([*ARGUMENTS, "--out", str(out)]) == 0
    assert json.loads((out / "report.json").read_text())["bundles"] == report["bundles"]
    monkeypatch.setattr(parts, "source_digest", lambda: "another way of measuring")
    with pytest.raises(AssertionError, match="measured again"):
        main([*ARGUMENTS, "--out", str(out)])
    monkeypatch.undo()
    monkeypatch.setitem(suite.SECTIONS, "steering", fails)
    part = next((out / "parts").glob("steering-*"))
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(AssertionError, match="measured again"):
        main([*ARGUMENTS, "--out", str(out)])


def test_what_cannot_be_measured_is_said(tmp_path, capsys):
    folder = tiny_bundle.save(tmp_path / "bundle", training={"source": "VideoFolder"})
    assert main(["evaluate", str(folder), "--out", str(tmp_path / "report")]) == 2
    assert f"type `framecast evaluate {folder} --real FOLDER`" in capsys.readouterr().err
    videos = str(real_videos.write_folder(tmp_path / "videos"))
    assert main(["evaluate", str(folder), "--real", videos, "--only", "control", "--out", str(tmp_path / "report")]) == 2
    assert "got control, which cannot be measured of" in capsys.readouterr().err
    assert main(["evaluate", str(folder), "--real", str(tmp_path / "nowhere"), "--out", str(tmp_path / "report")]) == 2
    assert "nowhere, which is no folder" in capsys.readouterr().err
    assert main(["evaluate", "--only", "beauty", "--out", str(tmp_path / "report")]) == 2
    assert "got the section 'beauty'; wanted some of tokenizer-sprites" in capsys.readouterr().err
    assert main(["evaluate", "--clips", "0", "--out", str(tmp_path / "report")]) == 2
    assert "got 0 clips" in capsys.readouterr().err
    assert main(["evaluate", "--device", "abacus", "--out", str(tmp_path / "report")]) == 2
    assert "got --device abacus" in capsys.readouterr().err
    trained = {"source": "SpriteWorld", "settings": {"seed": 1007, "combinations": "seen"}}
    assert main(["evaluate", str(tiny_bundle.save(tmp_path / "late", training=trained)), "--out", str(tmp_path / "report")]) == 2
    assert "a bundle trained on the world of seed 1007" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("changes", "kept"), [({}, ["tokenizer-sprites"]), ({"real": "x"}, ["tokenizer-sprites", "tokenizer-videos", "rate-videos"])]
)
def test_bundles_get_the_sections_that_apply(tmp_path, changes, kept):
    video = {"height": 64, "width": 64, "fps": 12.0}
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle", lm=None, text_tokenizer=None, video=video))
    study = Study(bundle, Settings(**changes))
    assert suite.applicable(study) == kept
    on_videos = {name for name in suite.SECTIONS if name.endswith(("-videos", "-world"))}
    assert set(suite.applicable(Study(load_bundle(None), Settings()))) == set(suite.SECTIONS) - on_videos


def test_videos_are_measured_again_if_their_captions_change(tmp_path, monkeypatch):
    bundle, measured = tiny_bundle.save(tmp_path / "bundle", training={"source": "VideoFolder"}), []
    empty = Section("", "Nothing", "Nothing was measured.", ())
    monkeypatch.setitem(suite.SECTIONS, "prompts-videos", lambda study, progress: measured.append("") or empty)
    captions, videos = tmp_path / "other.jsonl", str(real_videos.write_folder(tmp_path / "videos"))
    for text, times in (("a ring falls", 1), ("a ring falls", 1), ("a red ring", 2)):
        captions.write_text(json.dumps({"file": "video2.mkv", "caption": text}))
        line = ["evaluate", str(bundle), "--real", videos, "--captions", str(captions), "--only", "prompts-videos"]
        assert main([*line, "--out", str(tmp_path / "report")]) == 0
        assert len(measured) == times
    settings = json.loads((tmp_path / "report" / "report.json").read_text())["protocol"]["settings"]
    assert (settings["real"], settings["captions"]) == ("videos", "other.jsonl")


def test_any_generator_is_measured_on_real_video_and_again_if_the_videos_change(tmp_path, monkeypatch, capsys):
    bundle = tiny_bundle.save(tmp_path / "bundle", training={"source": "VideoFolder"})
    videos = real_videos.write_folder(tmp_path / "videos")
    settings = replace(real_videos.SETTINGS, clips=2, real=str(videos))
    page = evaluate_bundles([str(bundle)], tmp_path / "report", settings)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    wanted = ["tokenizer", "rate", "prediction", "continuation", "distance", "drift", "decoding", "prompts"]
    assert [section["name"] for section in report["bundles"][0]["sections"]] == [f"{name}-videos" for name in wanted]
    assert "In short: the figures that say most" in page.read_text()
    measured: list[str] = []
    for name in wanted:
        monkeypatch.setitem(suite.SECTIONS, f"{name}-videos", lambda study, progress: measured.append("") or empty)
    empty = Section("", "Nothing", "Nothing was measured.", ())
    evaluate_bundles([str(bundle)], tmp_path / "report", settings)
    assert not measured
    real_videos.write_folder(videos, 45)
    evaluate_bundles([str(bundle)], tmp_path / "report", settings)
    assert len(measured) == len(wanted)


def test_a_world_is_played_and_measured_and_again_if_its_recording_changes(tmp_path, monkeypatch, capsys):
    lm = tiny_world.lm(num_actions=SPACE.size)
    bundle = tiny_world.save(tmp_path / "bundle", lm=lm, action_space=SPACE)
    recorded = ring_env.write_recording(tmp_path / "ring", episodes=4)
    monkeypatch.setattr(keys, "train_action_net", partial(train_action_net, steps=2))
    monkeypatch.setattr(returns, "SECONDS", (1.0,))
    further = ring_env.write_recording(tmp_path / "further", episodes=2)
    line = ["evaluate", str(bundle), "--world", str(recorded), "--judge", str(further), "--clips", "3"]
    line += ["--long_clips", "1", "--play_frames", "64"]
    assert main([*line, "--out", str(tmp_path / "report")]) == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    sections = {section["name"]: section for section in report["bundles"][0]["sections"]}
    assert list(sections) == [f"{name}-world" for name in ("horizon", "keys", "return", "prediction", "drift")]
    assert all(section["figures"] and "Ring-v0" in section["about"] for section in sections.values())
    assert any(one["name"].startswith("reward: correlation") for one in sections["prediction-world"]["figures"])
    assert report["protocol"]["settings"]["judge"] == "further" and "(W2)" in (tmp_path / "report" / "index.html").read_text()
    empty, measured = Section("", "Nothing", "Nothing was measured.", ()), []
    monkeypatch.setitem(suite.SECTIONS, "horizon-world", lambda study, progress: measured.append("") or empty)
    for times in (0, 1):
        assert main([*line, "--only", "horizon-world", "--out", str(tmp_path / "report")]) == 0
        assert len(measured) == times
        ring_env.write_recording(recorded, episodes=5)


def test_a_world_of_stride_one_without_rewards_is_measured_and_named_by_its_title(tmp_path, monkeypatch):
    tokenizer = tiny.tokenizer(FSQ((3, 4, 5)), replace(tiny_world.TOKENIZER, time_strides=(1, 1)))
    lm, about = tiny_world.lm(num_actions=SPACE.size, action_frames=1), {**tiny_world.TRAINING, "title": "A ring to turn"}
    bundle = tiny_world.save(tmp_path / "bundle", tokenizer=tokenizer, lm=lm, action_space=SPACE, training=about)
    recorded = ring_env.write_recording(tmp_path / "ring", episodes=3)
    lines = [json.loads(line) for line in (recorded / "actions.jsonl").read_text().splitlines()]
    bare = [{key: value for key, value in line.items() if key not in ("rewards", "ends")} for line in lines]
    (recorded / "actions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in bare))
    monkeypatch.setattr(returns, "SECONDS", (1.0,))
    settings = replace(SETTINGS, clips=3, long_clips=1, world=str(recorded))
    page = evaluate_bundles(bundle, tmp_path / "report", settings, ["return-world", "drift-world", "prediction-world"])
    (found,) = json.loads((page.parent / "report.json").read_text())["bundles"]
    assert found["name"] == "A ring to turn" and "<h1>Evaluation of A ring to turn</h1>" in page.read_text()
    sections = {section["name"]: section for section in found["sections"]}
    assert all(section["figures"] for section in sections.values())
    assert "The recording has no rewards and no ends." in sections["prediction-world"]["about"]
    assert not any(one["name"].startswith(("reward", "end")) for one in sections["prediction-world"]["figures"])
    assert (page.parent / "drift-01.png").is_file()


def test_a_bundle_without_actions_plays_no_world(tmp_path, capsys):
    bundle = tiny_bundle.save(tmp_path / "bundle", training={"source": "VideoFolder"})
    assert main(["evaluate", str(bundle), "--world", str(tmp_path), "--out", str(tmp_path / "report")]) == 2
    assert "knows no actions; wanted a bundle that was trained on a recording with actions" in capsys.readouterr().err
    assert main(["evaluate", "--world", str(tmp_path / "nowhere"), "--out", str(tmp_path / "report")]) == 2
    assert "got --world" in capsys.readouterr().err
    assert main(["evaluate", "--play_frames", "5", "--out", str(tmp_path / "report")]) == 2
    assert "got play_frames 5; wanted at least 64" in capsys.readouterr().err
    world = tiny_world.save(tmp_path / "world")
    assert main(["evaluate", str(world), "--judge", str(tmp_path), "--out", str(tmp_path / "report")]) == 2
    assert "and no --world; wanted the recording that the judge shall judge on" in capsys.readouterr().err
    assert main(["evaluate", str(world), "--out", str(tmp_path / "report")]) == 2
    assert "or `--world RECORDING` for a recording with actions" in capsys.readouterr().err
