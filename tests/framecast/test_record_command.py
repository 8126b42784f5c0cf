"""`framecast record`: what it writes, what it says, and one line for what a user can mend."""

from contextlib import contextmanager

import pytest
from small_worlds import ID

from framecast.cli import main
from framecast.data.worlds import Recording, world_spec

SMALL = ["record", ID, "--out", "out", "--size", "16", "8", "--max_frames", "5", "--workers", "1"]


SPACE = world_spec(ID).action_space


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        return main(arguments), *capsys.readouterr()

    return run


def test_it_records_and_goes_on(run):
    code, said, short = run(*SMALL, "--episodes", "2", "--hold", "0.2", "--on", "left=0.8", "--seed", "3", "--caption", "a dot")
    assert code == 0 and said == f"2 episodes, 10 frames, 0.0 min at 12 fps, of {ID} with left, right\n"
    assert "got episodes of 5 frames in the mean; a training needs 17 frames an episode" in short and "--frame_skip 1" in short
    recording = Recording("out")
    assert recording.about == {
        "policy": "held", "seed": 3, "max_frames": 5, "caption": "a dot", "hold": 0.2, "on": {"left": 0.8},
    }  # fmt: skip
    assert recording.spec.size == (16, 8) and recording[0].path.suffix == ".mp4"
    assert recording[0].frames().shape == (5, 16, 8, 3)
    same = ["--hold", "0.2", "--on", "left=0.8", "--seed", "3", "--caption", "a dot"]
    assert run(*SMALL, "--minutes", "0.02", *same)[1].startswith("3 episodes, 15 frames")
    code, _, error = run(*SMALL, "--episodes", "4")
    assert code == 2 and "which was begun with" in error and error.count("\n") == 1


def test_a_person_at_the_page_is_a_policy(run, monkeypatch):
    from framecast.commands import record
    from framecast.serve.server import true_world

    class Presses:
        """Somebody who holds left, and stops after three frames."""

        def __call__(self, frame, previous, rng, world):
            if world.num_frames == 3:
                raise StopIteration
            return "left"

        def finish(self):
            finished.append(True)

    @contextmanager
    def at_page(spec, caption, port):
        asked.append((spec.env_id, caption, port))
        yield Presses(), "http://127.0.0.1:1/"

    asked, opened, finished = [], [], []
    monkeypatch.setattr(true_world, "play_at_page", at_page)
    monkeypatch.setattr(record, "open_page", opened.append)
    arguments = ["record", ID, "--out", "out", "--size", "16", "--policy", "page", "--episodes", "2"]
    code, said, err = run(*arguments, "--port", "0", "--caption", "a dot")
    assert code == 0 and said.startswith("2 episodes, 6 frames") and asked == [(ID, "a dot", 0)] and len(finished) == 2
    assert f"framecast: opening {ID}\nframecast: play {ID} at http://127.0.0.1:1/; Stop keeps an episode" in err
    assert [SPACE.describe(row) for row in Recording("out")[1].actions[1:]] == ["left"] * 2
    assert Recording("out").about["policy"] == "page" and Recording("out").about["max_frames"] == 3000
    code, _, err = run(*arguments, "--port", "0", "--caption", "a dot", "--workers", "2", "--no_browser")
    assert code == 2 and "got 2 workers and a policy of this process; wanted 1 worker" in err


def test_buttons_are_called_as_a_person_says(run):
    called = [*SMALL, "--on", "down=0.9", "--buttons", "down=KeyJ", "up=KeyK"]
    code, said, _ = run(*called, "--episodes", "1")
    assert code == 0 and said.endswith("with down, up\n") and said.startswith("1 episode, 5 frames")
    assert [button.key for button in Recording("out").space.buttons] == ["KeyJ", "KeyK"]
    other_keys = [*called[:-1], "up=KeyP"]
    assert run(*other_keys, "--episodes", "2")[0] == 0  # keys say nothing of what is recorded
    code, _, error = run(*SMALL, "--buttons", "down=KeyJ", "--episodes", "2")
    assert code == 2 and "got 1 names of buttons, down=KeyJ; wanted 2, for left, right in this order" in error


def test_every_option_reaches_the_environment(run):
    code, _, _ = run(
        *SMALL, "--episodes", "1", "--fps", "6", "--frame_skip", "2", "--crop", "0", "4", "0", "4", "--warmup", "3",
        "--kwargs", '{"ends_at": 9}', "--policy", "small_worlds:right_if_bright", "--lossless",
    )  # fmt: skip
    spec = Recording("out").spec
    assert code == 0 and (spec.fps, spec.frame_skip, spec.crop, spec.warmup, spec.kwargs) == (
        6,
        2,
        (0, 4, 0, 4),
        3,
        {"ends_at": 9},
    )
    assert len(Recording("out")[0].actions) == 4 and Recording("out")[0].ends[-1]  # three steps before, then two a frame
    assert Recording("out")[0].path.suffix == ".mkv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "1", "2", "3"], "got --size 1 2 3; wanted rows and columns, or one number for both"),
        (["--on", "left"], "got --on left; wanted a button and a share each time, such as forward=0.7"),
        (["--on", "jump=0.5"], "got jump 0.5 as how likely a button is on; wanted a share from 0 to 1 for some of left, right"),
        (["--kwargs", "[1]"], "got --kwargs '[1]'; wanted a JSON object"),
        (["--policy", "best"], "got policy 'best'; wanted held, random"),
        (["--episodes", "1", "--minutes", "1"], "got episodes 1 and minutes 1.0; wanted one of the two"),
        (["--fps", "0"], "got fps 0.0; wanted frames per second, above 0"),
        (["--frame_skip", "0"], "got frame_skip 0; wanted 1 to 1000 steps a frame"),
        (["--minutes", "inf"], "got minutes inf; wanted minutes above 0 and at most"),
        (["--minutes", "nan"], "got minutes nan; wanted minutes above 0"),
        (["--max_frames", "1"], "got max_frames 1; wanted 2 or more frames"),
        (["--policy", "driver"], "the policy failed after 1 frames: ValueError: got small_worlds:Shown-v0, which has no track"),
    ],
)
def test_what_a_user_can_mend_is_said_in_one_line(run, options, message):
    code, said, error = run(*SMALL, *options)
    assert code == 2 and message in error and error.count("\n") == 1 and not said
