"""One part after the other, each only once; a bundle that a stopped training left is not the end of it."""

import json

import pytest
import yaml

from framecast.train.own import run
from framecast.train.own.configs import config_file, lm_config, tokenizer_config, write_configs
from framecast.train.own.run import is_trained, train, train_in_python


@pytest.fixture
def calls(plan, monkeypatch):
    """What is trained, by a training that leaves nothing but what its bundle says of its steps."""
    done: list[list[str]] = []

    def train_command(words: list[str]) -> None:
        done.append(words)
        part = words[2].rpartition("/")[2].removesuffix(".yaml")
        bundle = plan.out / ("tokenizer/bundle" if part == "tokenizer" else "bundle")
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps({"training": {"steps": 4}}))

    monkeypatch.setattr(run, "make_plan", lambda *_: plan)
    monkeypatch.setattr(run, "train_command", train_command)
    monkeypatch.setattr(run, "load_generator", lambda *_: None)
    monkeypatch.setattr(run, "write_samples", lambda plan, _: plan.out / "samples" / "sheet.png")
    monkeypatch.setattr(run, "write_report", lambda *_: None)
    return done


def test_both_parts_are_trained_by_the_commands_that_are_printed(plan, calls, capsys):
    trained = train(plan.settings)
    files = [config_file(plan, part) for part in ("tokenizer", "lm")]
    assert calls == [["fit", "--config", str(file)] for file in files]
    assert trained.bundle == plan.out / "bundle" and trained.samples == plan.out / "samples"
    out = capsys.readouterr().out
    for file in files:
        assert file.is_file() and f"  framecast train fit --config {file}\n" in out
    assert "Left out: 2 files." in out and "short.mkv: has 3 frames" in out and "Held out to judge by: 1 file" in out
    for word in ("framecast continue", "framecast evaluate", "framecast serve", "tensorboard --logdir"):
        assert f"  {word}" in out


def test_what_is_trained_is_not_trained_again(plan, calls, capsys):
    train(plan.settings)
    calls.clear()
    train(plan.settings)
    out = capsys.readouterr().out
    assert calls == [] and "Going on with the run" in out and "tokenizer: trained already." in out


def test_a_part_that_was_stopped_goes_on(plan, calls, capsys):
    plan.save()
    write_configs(plan)
    checkpoints = plan.out / "tokenizer" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "last.ckpt").touch()
    train(plan.settings)
    assert calls[0][3:] == ["--ckpt_path", "last"] and calls[1][3:] == []


def test_a_bundle_of_fewer_steps_is_not_the_end(tmp_path):
    assert not is_trained(tmp_path, 5)
    (tmp_path / "config.json").write_text('{"training": {"steps": 4}}')
    assert is_trained(tmp_path, 4) and not is_trained(tmp_path, 5)


def test_a_dry_run_says_all_and_writes_nothing(plan, calls, capsys):
    assert train(plan.settings, dry_run=True) is None
    assert calls == [] and not plan.out.exists()
    out = capsys.readouterr().out
    assert "Together" in out and "Memory: about 1.0 GB" in out
    assert all(len(line) < 80 for line in out.splitlines() if str(plan.out) not in line and str(plan.settings.videos) not in line)


def test_in_python_a_signal_is_a_keyboard_interrupt(plan, calls, monkeypatch):
    def stopped(words: list[str]) -> None:
        raise SystemExit(130)

    monkeypatch.setattr(run, "train_command", stopped)
    with pytest.raises(KeyboardInterrupt, match="the same call again goes on"):
        train_in_python(plan.settings)
    monkeypatch.setattr(run, "train_command", lambda words: exec("raise SystemExit(1)"))
    with pytest.raises(RuntimeError, match="the training has failed"):
        train_in_python(plan.settings)


def test_the_configurations_are_plain_yaml_that_names_what_is_held_out(plan):
    plan.save()
    write_configs(plan)
    for part, config in (("tokenizer", tokenizer_config(plan)), ("lm", lm_config(plan))):
        assert yaml.safe_load(config_file(plan, part).read_text()) == json.loads(json.dumps(config))
    held = tokenizer_config(plan)["data"]["init_args"]["val_source"]["init_args"]["include"]
    assert held == list(plan.found.held_out)
    assert lm_config(plan)["export"]["folder"] == str(plan.out / "bundle")
    assert lm_config(plan)["data"]["init_args"]["source"]["class_path"] == "framecast.data.SomeClips"
