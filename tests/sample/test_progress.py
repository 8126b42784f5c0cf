"""How far a clip is: told to a function, shown as a bar, or written as lines."""

import pytest
import tiny_bundle

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


def test_into_a_file_there_are_lines(capsys, monkeypatch):
    monkeypatch.setattr("framecast.progress.SHORT", 0.0)
    tiny_bundle.generator().generate(PROMPT, 17, progress=True)
    said = capsys.readouterr().err
    assert "generating" in said and "of 17 frames" in said


@pytest.mark.parametrize("wrong", [1, "bar", 0, [True]])
def test_what_shows_nothing_is_refused(wrong):
    with pytest.raises(
        ValueError, match=r"got progress .*; wanted True, False, or a function of the frames done and those in all"
    ):
        tiny_bundle.generator().generate(PROMPT, 5, progress=wrong)
