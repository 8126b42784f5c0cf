"""How far a clip is: told to a function, shown as a bar, or written as lines."""

import io

import pytest
import tiny_bundle

from framecast.sample import progress

PROMPT = "a red circle moves right"


def told(prompt=PROMPT, **arguments) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    tiny_bundle.generator().generate(prompt, 13, progress=lambda done, total: seen.append((done, total)), **arguments)
    return seen


def test_a_function_is_told_the_frames_that_are_done_and_those_in_all():
    assert told() == [(0, 13), (1, 13), (5, 13), (9, 13), (13, 13)]
    assert told(first_frames=tiny_bundle.frames(5)) == [(5, 13), (9, 13), (13, 13)]


def test_of_several_clips_all_frames_are_counted():
    seen = told([PROMPT] * 9)  # eight at a time
    assert seen[0] == (8, 117) and seen[-1] == (117, 117) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert (8 * 13, 117) in seen


@pytest.mark.parametrize("shown", [True, False, None])
def test_the_clip_is_the_same_whatever_is_shown(shown, capsys):
    generator = tiny_bundle.generator()
    assert generator.generate(PROMPT, 9, progress=shown).tokens.equal(generator.generate(PROMPT, 9).tokens)
    assert capsys.readouterr().out == ""


def test_into_a_file_there_is_a_line_every_ten_seconds(capsys, monkeypatch):
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    tiny_bundle.generator().generate(PROMPT, 17, progress=True)
    lines = [f"generating: {done} of 17 frames after {seconds} s\n" for done, seconds in ((1, 12), (9, 24), (17, 36))]
    assert capsys.readouterr().err == "".join(lines)


def test_on_a_terminal_a_bar_fits_into_eighty_columns(monkeypatch):
    written, make = io.StringIO(), progress.Console
    monkeypatch.setattr(progress, "Console", lambda **_: make(file=written, force_terminal=True, width=80))
    with progress.following(True, 99_999) as done:
        done(12_345)
    lines = [line for line in written.getvalue().replace("\r", "\n").split("\n") if "generating" in line]
    assert any("12345/99999 frames" in line and "0:00:00" in line for line in lines)
    assert "…" not in written.getvalue()


@pytest.mark.parametrize("wrong", [1, "bar", 0, [True]])
def test_what_shows_nothing_is_refused(wrong):
    with pytest.raises(
        ValueError, match=r"got progress .*; wanted True, False, or a function of the frames done and those in all"
    ):
        tiny_bundle.generator().generate(PROMPT, 5, progress=wrong)
