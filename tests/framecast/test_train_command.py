"""`framecast train`: the first word decides between a folder of videos and LightningCLI."""

import sys
from dataclasses import fields

import pytest

from framecast.cli import main
from framecast.commands import train as command
from framecast.commands.train import build_parser
from framecast.train import cli as lightning
from framecast.train.own import run
from framecast.train.own.settings import OwnSettings


@pytest.fixture
def taken(monkeypatch):
    """What is handed to LightningCLI, and what is asked for of a folder."""
    found: list = []
    monkeypatch.setattr(lightning, "main", found.append)
    monkeypatch.setattr(run, "train", lambda settings, dry_run: found.append((settings, dry_run)))
    return found


def test_a_folder_is_a_model_of_ones_own(taken, tmp_path):
    words = [str(tmp_path), "--size", "128", "--fps", "8", "--minutes", "2.5", "--out", "x", "--hold_out", "held/*", "--dry_run"]
    more = ["--licence", "CC0", "--title", "A film", "--seed", "3", "--include", "a/*", "b", "--action_delay", "4"]
    assert main(["train", *words, *more]) == 0
    wanted = OwnSettings(
        str(tmp_path), 128, 8.0, 2.5, "x", "held/*", ("a/*", "b"), action_delay=4, title="A film", licence="CC0", seed=3
    )
    assert taken == [(wanted, True)]


def test_what_is_looked_at_is_said_at_once(taken, tmp_path, capsys):
    assert main(["train", str(tmp_path), "--size", "50"]) == 2  # what is loaded before that is known takes seconds
    assert capsys.readouterr().out == f"Looking at the videos in {tmp_path}.\n"


def test_what_is_not_given_is_as_in_python(taken, tmp_path):
    main(["train", str(tmp_path)])
    assert taken == [(OwnSettings(str(tmp_path)), False)]


def test_options_defaults_and_names_are_those_of_python(capsys):
    options = {action.dest for action in build_parser()._actions} - {"help", "dry_run"}
    assert options == {field.name for field in fields(OwnSettings)}
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    defaults = OwnSettings("x")
    assert f"(default: {defaults.size})" in shown and f"(default: {defaults.minutes:g})" in shown and "train fit --help" in shown
    assert f"(default: {defaults.out})" in shown and f"(default: {defaults.hold_out})" in shown


@pytest.mark.parametrize(
    "words", [["fit", "--config", "tiny_lm"], ["validate"], ["--config", "a.yaml", "fit"], ["fit", "--help"]]
)
def test_its_commands_and_options_are_lightnings(taken, words):
    main(["train", *words])
    assert taken == [words]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fti"], "got `framecast train fti`; wanted one of fit, validate, test, predict, or a folder of videos; did you mean"),
        (["nowhere"], "got nowhere, and there is no such folder; wanted a folder of videos"),
        ([], "the following arguments are required: VIDEOS; see `framecast train --help`"),
        ([".", "--size", "50"], "got --size 50; wanted a multiple of 8"),
        (["nowhere", "--size", "big"], "argument --size: invalid int value: 'big'; see `framecast train --help`"),
        (["nowhere", "--minuets", "9"], "got --minuets; did you mean --minutes?"),
        (["nowhere", "--max_steps", "9"], "got --max_steps with a folder; wanted one of --size, --fps, --minutes"),
    ],
)
def test_a_mistake_is_one_line(words, message, capsys):
    assert main(["train", *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_help_loads_neither_torch_nor_lightning(monkeypatch, capsys):
    loaded = set(sys.modules)
    with pytest.raises(SystemExit):
        command.main(["-h"])
    assert not {name for name in set(sys.modules) - loaded if name.startswith(("torch", "lightning"))}
