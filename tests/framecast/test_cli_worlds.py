"""The commands with actions: what is done is typed or read, kept in token files, and made again."""

from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
import tiny_world
from tiny_world import PROMPT

from framecast.cli import main
from framecast.commands.export import parse_start
from framecast.sample import Start, add_starts, read_tokens


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a world, a bundle without actions, and actions."""
    place = tmp_path_factory.mktemp("place")
    add_starts(tiny_world.save(place / "world"), [Start("road", tiny_world.generator().generate(PROMPT, 3).tokens, PROMPT)])
    tiny_bundle.save(place / "plain")
    np.save(place / "drive.npy", tiny_world.actions(9).numpy())
    return place


@pytest.fixture
def run(place, monkeypatch, capsys):
    monkeypatch.chdir(place)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    return run


def sample(*arguments: str, out: str = "a.fct", bundle: str = "world") -> list[str]:
    return ["sample", PROMPT, "--num_frames", "9", "--bundle", bundle, "--out", out, *arguments]


def test_actions_are_typed_kept_and_made_again(run):
    assert run(*sample("--actions", "left*3 gas=0.5", "--action_guidance", "2"))[0] == 0
    video = read_tokens("a.fct")
    assert video.actions[1:3].flatten(0, 1)[:, 0].tolist() == [1, 1, 1, 0] and video.header.params.action_guidance == 2
    code, out, _ = run("replay", "a.fct", "--bundle", "world")
    assert code == 0 and out.startswith("a.fct: every token is the same in all 5 latent frames that were made again, at ")
    assert "left, right, gas; known in 4 latent frames" in run("info", "a.fct")[1]


def test_actions_are_those_of_a_file_or_of_another_video(run):
    assert run(*sample("--actions", "drive.npy", out="b.fct"))[0] == 0
    assert run(*sample("--actions", "b.fct", "--seed", "4", out="c.fct"))[0] == 0
    actions = [read_tokens(name).actions.nan_to_num(9) for name in ("b.fct", "c.fct")]
    assert (actions[0] == actions[1]).all()


def test_a_played_video_is_continued_and_made_again(run):
    assert run(*sample("--actions", "left*8", out="d.fct"))[0] == 0
    go_on = ["continue", "d.fct", "--num_frames", "4", "--bundle", "world", "--out", "e.fct"]
    assert run(*go_on, "--actions", "right*4")[0] == 0
    assert read_tokens("e.fct").actions[:, -1, :2].nan_to_num(9).tolist() == [[9, 9], *[[1, 0]] * 4, *[[0, 1]] * 2]
    assert "given                    the first 5 latent frames" in run("info", "e.fct")[1]
    code, out, _ = run("replay", "e.fct", "--bundle", "world")
    assert code == 0 and "2 latent frames that were made again, after 5 that were given" in out


def test_a_stream_begins_from_a_start(run):
    command = [
        "stream",
        PROMPT,
        "--seconds",
        "0.6",
        "--bundle",
        "world",
        "--start",
        "road",
        "--actions",
        "left",
        "--out",
        "f.fct",
    ]
    assert run(*command)[0] == 0
    assert run(*[word if word != "road" else "0" for word in command[:-1]], "g.fct")[0] == 0
    assert (read_tokens("f.fct").tokens == read_tokens("g.fct").tokens).all() and read_tokens("f.fct").past.num_given == 2


WRONG = {
    "an unknown button": (sample("--actions", "up*3"), "got up, which this world has not; wanted some of left, right, gas"),
    "no file": (sample("--actions", "nowhere.npy"), "cannot read the actions of nowhere.npy"),
    "a model without actions": (
        sample("--actions", "left", bundle="plain"),
        "got an action for 'plain', a model that knows no actions; wanted none, or the bundle of a world",
    ),
    "no such start": (sample("--start", "house"), "got the start 'house'; wanted one of its 1, \"road\", or a number from 0"),
    "no token file": (["replay", "drive.npy", "--bundle", "world"], "drive.npy is no token file"),
    "another bundle": (
        ["replay", "made.fct", "--bundle", "plain"],
        "wanted tokens of the same one; use the bundle that made them",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_named(run, case):
    if case == "another bundle":
        run(*sample(out="made.fct"))
    arguments, message = WRONG[case]
    code, _, err = run(*arguments)
    assert code == 2 and message in err.splitlines()[-1] and err.splitlines()[-1].startswith("framecast: ")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a.mkv", (None, "a.mkv", 0.0)),
        ("a long bend=runs/held=1/a.mkv@4.5", ("a long bend", "runs/held=1/a.mkv", 4.5)),
        ("runs/x=y/a.mkv", (None, "runs/x=y/a.mkv", 0.0)),
        ("a@b.mkv@3s", (None, "a@b.mkv", 3.0)),
    ],
)
def test_a_start_has_a_name_a_video_and_a_place(text, start):
    assert parse_start(text) == start


def test_a_start_without_a_video_is_an_error():
    with pytest.raises(ValueError, match=r"got the start ' '; wanted a video, or such as bend=drive\.mkv@4\.5"):
        parse_start(" ")
