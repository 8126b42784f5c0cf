"""`Timeline`: one language for prompts that change, read from text, and where they fall among latent frames."""

import pytest

from framecast.data import Caption, Timeline
from framecast.data.sprites import resolve_it
from framecast.data.timeline import latent_captions
from framecast.stride import Stride
from framecast.tokenizer import FSQ, VideoTokenizer, VideoTokenizerConfig


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a red circle moves right", ((0.0, "a red circle moves right"),)),
        (
            "a red circle moves right; at 2s it stops; at 3s it moves up",
            ((0.0, "a red circle moves right"), (2.0, "a red circle stops"), (3.0, "a red circle moves up")),
        ),
        ("a dog runs ;AT 1.5 seconds: it sits", ((0.0, "a dog runs"), (1.5, "it sits"))),
        ("at 0s a dog runs; at 0:02 a cat sits;", ((0.0, "a dog runs"), (2.0, "a cat sits"))),
        ("A Red Circle moves right.; at 2s It stops", ((0.0, "A Red Circle moves right."), (2.0, "a red circle stops"))),
    ],
)
def test_a_timeline_is_read_from_text(text, entries):
    assert Timeline.parse(text).entries == entries
    assert Timeline.of(text) == Timeline.of(Timeline(entries)) == Timeline.of(list(entries))


def test_pairs_are_taken_as_they_are():
    assert Timeline.of([(0, "a cat; asleep")]).entries == ((0.0, "a cat; asleep"),)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("a dog; at 2s a cat; at 2s a cow", r"seconds \[0.0, 2.0, 2.0\]; wanted the first at 0 and each later"),
        ([(1.0, "a dog")], r"seconds \[1.0\]; wanted the first at 0"),
        ([], r"seconds \[\]"),
        ([(0, "a dog"), (float("nan"), "a cat")], "wanted the first at 0 and each later"),
        ([(0, "a dog"), (1, " ")], "got an empty prompt at 1 s"),
        ("", "got an empty prompt at 0 s"),
        ("a dog; at 1.2.3s a cat", 'got "at 1.2.3s a cat" after a ";", .* wanted a time, such as "at 2s", .* write a comma'),
        ("a cat; asleep", 'got "asleep" after a ";"'),
    ],
)
def test_a_timeline_that_cannot_be_is_refused(prompt, message):
    with pytest.raises(ValueError, match=message):
        Timeline.of(prompt)


def test_it_is_the_sprite_that_was_spoken_of():
    assert resolve_it("it stops", "a large red circle moves right, then moves up") == "a large red circle stops"
    assert resolve_it("It moves up, then stops", "an orange star falls") == "an orange star moves up, then stops"
    assert resolve_it("IT stops", "A orange  star falls .") == "an orange star stops"
    assert resolve_it("a blue ring falls", "an orange star falls") == "a blue ring falls"
    assert resolve_it("it sits", "a dog runs") == "it sits"
    with pytest.raises(ValueError, match="which has 2 objects; wanted to know which one is meant"):
        resolve_it("it stops", "a red circle moves right, and a blue ring falls")


def test_prompts_fall_on_frames():
    captions = Timeline.of([(0, "a"), (1, "b"), (1.01, "c"), (2, "d")]).captions(12.0)
    assert captions == (Caption(0, "a"), Caption(12, "c"), Caption(24, "d"))


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_frames_belong_to_the_latent_frames_of_the_tokenizer(stride):
    tokenizer = VideoTokenizer(VideoTokenizerConfig(channels=(8, 8), num_blocks=(1, 1), time_strides=(stride,)), FSQ((3,)))
    for frame in range(1 + 3 * stride):
        latent = tokenizer.stride.latent_index(frame)
        assert latent == (0 if frame == 0 else (frame - 1) // stride + 1)
        first = tokenizer.num_frames(latent)
        assert first <= frame < tokenizer.num_frames(latent + 1)


def test_captions_move_to_latent_frames_and_the_later_one_wins():
    given = [Caption(0, "a"), Caption(1, "b"), Caption(5, "c"), Caption(8, "d"), Caption(9, "e")]
    assert latent_captions(given, Stride(4)) == (Caption(0, "a"), Caption(1, "b"), Caption(2, "d"), Caption(3, "e"))
