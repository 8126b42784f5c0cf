"""Lines of `captions.jsonl` are changed one by one, and nothing is lost."""

import json
import math

import pytest

from framecast.data.caption_lines import TimedText, read_caption_lines
from framecast.data.captioning import HAND, RULES, CaptionFile

OLD = "\n".join(
    [
        '{"file": "a.mp4", "caption": "a cat", "group": 7}',
        "no line",
        '{"file": "a.mp4", "caption": "twice"}',
        '{"file": "b.mp4", "captions": [{"start": 0, "text": "x"}], "by": "hand"}',
    ]
)
TEXTS = (TimedText(0.0, 1.5, "one"), TimedText(1.5, math.inf, "two"))


def always(line) -> bool:
    return True


@pytest.fixture
def captions(tmp_path) -> CaptionFile:
    (tmp_path / "captions.jsonl").write_text(OLD, encoding="utf-8")
    return CaptionFile(tmp_path)


def test_who_wrote_a_line_is_read(captions):
    assert captions.files == ["a.mp4", "b.mp4"]
    assert captions.line("a.mp4").by == "" and captions.line("b.mp4").by == HAND
    assert captions.line("c.mp4").version == "" and not captions.line("c.mp4").says_something


def test_a_change_keeps_other_lines_and_keys(captions):
    assert captions.change({"a.mp4": (TEXTS, RULES), "c.mp4": (TEXTS[:1], RULES)}, always) == []
    first, *others = captions.path.read_text(encoding="utf-8").splitlines()
    assert others[:3] == OLD.splitlines()[1:]
    row = json.loads(first)
    assert row["group"] == 7 and row["by"] == RULES and "caption" not in row
    texts, skipped = read_caption_lines(captions.path)
    assert texts["a.mp4"] == TEXTS and texts["c.mp4"] == TEXTS[:1] and len(skipped) == 2


def test_what_may_not_be_replaced_stays_and_is_told(captions):
    before = captions.path.read_bytes()
    assert captions.change({"b.mp4": (TEXTS, RULES)}, lambda line: line.by != HAND) == ["b.mp4"]
    assert captions.path.read_bytes() == before


def test_two_writers_do_not_undo_each_other(captions):
    other = CaptionFile(captions.path.parent)
    captions.change({"a.mp4": (TEXTS, RULES)}, always)
    other.change({"b.mp4": (TEXTS, HAND)}, always)
    captions.read()
    assert captions.line("a.mp4").texts == captions.line("b.mp4").texts == TEXTS


def test_a_version_changes_with_its_line_alone(captions):
    a, b = captions.line("a.mp4").version, captions.line("b.mp4").version
    captions.change({"a.mp4": (TEXTS, HAND)}, always)
    assert captions.line("a.mp4").version != a and captions.line("b.mp4").version == b


def test_one_text_throughout_is_a_caption(captions):
    captions.change({"a.mp4": ([TimedText(0.0, math.inf, "a dog")], HAND)}, always)
    assert json.loads(captions.path.read_text(encoding="utf-8").splitlines()[0])["caption"] == "a dog"


def test_a_write_that_fails_leaves_the_file(captions, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ValueError, match="No space left"):
        captions.change({"a.mp4": (TEXTS, RULES)}, always)
    assert captions.path.read_text(encoding="utf-8") == OLD and [path.name for path in captions.path.parent.iterdir()] == [
        "captions.jsonl"
    ]


def test_copies_get_names_that_are_free(captions):
    names = [captions.keep_copy().name for _ in range(2)]
    assert names == ["captions.before-1.jsonl", "captions.before-2.jsonl"]
