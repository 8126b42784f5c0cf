"""What is thin in captions is found; good captions pass."""

import pytest

from framecast.data.caption_lines import TimedText
from framecast.data.captioning import check_captions

GOOD = {
    f"{name}.mp4": (TimedText(0.0, 2.0, f"a red ball rolls left {name}"), TimedText(2.0, 4.0, f"a ball stops {name}"))
    for name in "xyxy"
}
LENGTHS = dict.fromkeys(GOOD, 4.0)


def found(texts, **options) -> dict[str, tuple[int, bool]]:
    return {
        finding.what.split(";")[0].split(",")[0]: (finding.count, finding.spoils) for finding in check_captions(texts, **options)
    }


def test_good_captions_have_nothing_thin():
    assert found(GOOD, lengths=LENGTHS, pieces=lambda texts: [9] * len(texts)) == {}


BAD = {
    "files without captions": (GOOD | {"n.mp4": (), "m.mp4": (), "o.mp4": ()}, (3, True)),
    "files of one caption": ({f"{i}.mp4": (TimedText(0, 1, "a ball rolls"),) for i in range(4)}, (4, True)),
    "texts that are file names": ({"IMG_0012.mp4": (TimedText(0, 1, "IMG 0012"),)}, (1, True)),
    "entries that overlap": ({"x.mp4": (TimedText(0, 2, "it rolls"), TimedText(1, 3, "it rolls on"))}, (1, False)),
    "files without a word of motion": ({"x.mp4": (TimedText(0, 2, "a red ball"),)}, (1, False)),
    "words that occur once": ({"x.mp4": (TimedText(0, 2, "it rolls"),)}, (2, False)),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_thin_is_found(what):
    texts, wanted = BAD[what]
    assert found(texts)[what] == wanted


def test_entries_beyond_the_end_are_found():
    assert found(GOOD, lengths=dict.fromkeys(GOOD, 1.0))["entries beyond the end of the video"] == (4, True)
    assert found(GOOD, lengths=dict.fromkeys(GOOD, 3.8)) == {}


def test_texts_that_are_cut_off_are_found():
    assert found(GOOD, pieces=lambda texts: [49] * len(texts))["texts of more than 48 pieces"] == (4, True)


def test_the_worst_comes_first_with_examples():
    first, *_ = check_captions({"x.mp4": (TimedText(0, 2, "a ball"),), "y.mp4": ()})
    assert first.spoils and "y.mp4" in str(first) and "1 of 2" in str(first)


@pytest.mark.parametrize(
    ("text", "moves"), [("she runs", True), ("running water", True), ("a car drove left", True), ("a lawn chair", False)]
)
def test_words_of_motion_are_known_in_their_forms(text, moves):
    assert ("files without a word of motion" in found({"x.mp4": (TimedText(0, 1, text),)})) is not moves
