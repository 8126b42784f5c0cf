"""`framecast play`: which worlds it opens, and what it says of the rest."""

import socket
import sys
from types import SimpleNamespace

import pytest
import tiny_bundle
import tiny_world

from framecast.cli import main
from framecast.commands import play
from framecast.serve.server import run as server_run


@pytest.fixture
def served(monkeypatch):
    """What would have been served, instead of serving."""
    calls = []
    monkeypatch.setattr(server_run, "run_server", lambda *args, **options: calls.append((args, options)))
    return calls


def said(capsys, *arguments: str) -> tuple[int, str]:
    code = main(["play", *arguments])
    return code, " ".join(capsys.readouterr().err.split())


def test_world_is_served_and_its_page_opened(served, tmp_path, capsys):
    world = tiny_world.save(tmp_path / "world")
    assert said(capsys, str(world), "--port", "8123", "--record", str(tmp_path / "games"))[0] == 0
    assert said(capsys, str(world), "--no_browser")[0] == 0
    ((generator, config), options), (_, others) = served
    assert config.title == "world"
    assert generator.action_space == tiny_world.SPACE and (config.host, config.port) == ("127.0.0.1", 8123)
    assert options == {"record": str(tmp_path / "games"), "when_ready": play.open_page}
    assert others == {"record": None, "when_ready": None}


def test_world_is_named_by_its_title_before_anything_is_loaded(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(play, "_play", lambda arguments, title: print("loads", title))
    named = {"training": {**tiny_world.TRAINING, "title": "  A ring\nworld"}}
    assert main(["play", str(tiny_world.save(tmp_path / "world", **named))]) == 0
    captured = capsys.readouterr()
    assert captured.err == "framecast: opening A ring world\n" and captured.out == "loads A ring world\n"


def test_model_without_actions_is_no_world(served, tmp_path, capsys):
    code, err = said(capsys, str(tiny_bundle.save(tmp_path / "model")))
    assert code == 2 and served == []
    assert "model, a model without actions; wanted a world, which answers keys; `framecast serve" in err


def test_the_world_of_the_package_is_played_unless_it_is_gone(served, tmp_path, capsys, monkeypatch):
    from framecast.sample import bundle_files

    monkeypatch.setattr(bundle_files, "WORLD", tmp_path / "none")
    code, err = said(capsys)
    assert code == 2 and "opening" not in err and "none is no bundle: it has no config.json; wanted a folder" in err
    monkeypatch.setattr(bundle_files, "WORLD", tiny_world.save(tmp_path / "world"))
    assert said(capsys)[0] == 0 and served[0][0][0].action_space == tiny_world.SPACE


def test_folder_of_something_else_is_not_recorded_in(tmp_path, capsys):
    (tmp_path / "games").mkdir()
    (tmp_path / "games" / "notes.txt").write_text("mine")
    code, err = said(capsys, str(tiny_world.save(tmp_path / "world")), "--port", "0", "--record", str(tmp_path / "games"))
    assert code == 2 and "games, which holds other files; wanted a new folder" in err


def test_port_that_is_taken(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, err = said(capsys, str(tiny_world.save(tmp_path / "world")), "--port", port, "--no_browser")
    assert code == 2 and f"cannot serve at 127.0.0.1:{port}" in err


def test_without_a_browser_the_address_is_said(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "webbrowser", SimpleNamespace(open=lambda address: False))
    play.open_page("http://127.0.0.1:8000/")
    assert "no browser opens by itself here; open http://127.0.0.1:8000/ in one" in capsys.readouterr().err
