"""The whole evaluation from the command line: a page, its JSON, and going on where it was stopped."""

import json
import sys

import pytest
import tiny_bundle
import torch

from framecast.cli import main
from framecast.data import SpriteWorld
from framecast.evaluate import events, suite
from framecast.evaluate.study import Settings

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
    monkeypatch.setattr(suite, "source_digest", lambda: "another way of measuring")
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
    assert "got nothing to measure of" in capsys.readouterr().err
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
    ("changes", "kept"), [({}, ["tokenizer-sprites"]), ({"real": "x"}, ["tokenizer-sprites", "tokenizer-videos"])]
)
def test_bundles_get_the_sections_that_apply(tmp_path, changes, kept):
    from framecast.evaluate.study import Study
    from framecast.sample import load_bundle

    video = {"height": 64, "width": 64, "fps": 12.0}
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle", lm=None, text_tokenizer=None, video=video))
    study = Study(bundle, Settings(**changes))
    assert suite.applicable(study) == kept
    assert set(suite.applicable(Study(load_bundle(None), Settings()))) == set(suite.SECTIONS) - {"tokenizer-videos"}


def test_clips_are_generated_where_and_how_exactly_it_is_said():
    from framecast.evaluate.study import Study
    from framecast.sample import load_bundle

    study = Study(load_bundle(None), Settings(dtype="bfloat16"))
    assert study.generator.lm.norm.weight.dtype == torch.bfloat16 and study.bundle.lm.norm.weight.dtype == torch.float32


def test_a_world_without_held_out_combinations_is_measured_on_the_seen_ones(tmp_path):
    from framecast.evaluate.study import Study
    from framecast.sample import load_bundle

    narrow = {"seed": 0, "combinations": "seen", "shapes": ["star"], "motions": ["moves left"], "two_objects": 0.0}
    video = {"height": 64, "width": 64, "fps": 12.0}
    training = {"source": "SpriteWorld", "settings": narrow}
    folder = tiny_bundle.save(tmp_path / "bundle", lm=None, text_tokenizer=None, video=video, training=training)
    study = Study(load_bundle(folder), Settings(clips=2))
    assert study.combinations == ["seen"] and "of the seen prompts occur" in suite.overlap(study)


def test_all_code_that_figures_depend_on_decides_whether_they_are_used_again():
    rooms = (
        "framecast.data",
        "framecast.tokenizer",
        "framecast.model",
        "framecast.sample",
        "framecast.evaluate",
        "framecast.state",
    )
    used = {module.__file__ for name, module in sys.modules.items() if name.startswith(rooms)}
    assert used <= set(map(str, suite.sources())) and len(used) > 50


def test_persistence_is_measured_where_objects_pass_the_bar_once():
    assert events.passes_once(SpriteWorld())
    assert not events.passes_once(SpriteWorld(size=32, radii=(4.0, 6.0))) and not events.passes_once(
        SpriteWorld(speeds=(1.0, 2.0))
    )
    assert not events.passes_once(SpriteWorld(speeds=(0.5,)))
