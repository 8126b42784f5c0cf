"""Captions of a folder of videos: what holds when, and lines that are bad."""

import pytest
from video_folders import SMALL, write_captions, write_clip

from framecast.data import Caption, VideoFolder

pytestmark = pytest.mark.usefixtures("own_caches")


def test_one_caption_holds_for_all_windows(tmp_path):
    write_clip(tmp_path / "a.mkv", 10)
    write_clip(tmp_path / "unlisted.mkv", 10)
    write_clip(tmp_path / "none.mkv", 5)
    write_captions(tmp_path, {"file": "a.mkv", "caption": " a dog runs ", "source": "ignored"}, "", {"file": "none.mkv"})
    folder = VideoFolder(tmp_path, **SMALL)
    assert [(clip.name, clip.captions) for clip in folder] == [
        ("a.mkv@0.00s", (Caption(0, "a dog runs"),)),
        ("a.mkv@0.50s", (Caption(0, "a dog runs"),)),
        ("none.mkv@0.00s", (Caption(0, ""),)),
    ]


@pytest.mark.parametrize(
    ("timeline", "first", "second"),
    [
        ([(0, 1.0, "sits")], [(0, "sits")], [(0, "sits")]),
        ([(0, 0.5, "sits"), (0.5, 1.0, "runs")], [(0, "sits")], [(0, "runs")]),
        ([(0, 0.3, "sits"), (0.3, 1.0, "runs")], [(0, "sits"), (3, "runs")], [(0, "runs")]),
        ([(0, 0.31, "sits"), (0.31, 1.0, "runs")], [(0, "sits"), (4, "runs")], [(0, "runs")]),
        ([(0, None, "sits"), (0.8, None, "runs")], [(0, "sits")], [(0, "sits"), (3, "runs")]),
        ([(0.2, 0.4, "sits")], [(0, ""), (2, "sits"), (4, "")], [(0, "")]),
        ([(0, 1.0, "sits"), (0.6, 0.8, "barks")], [(0, "sits")], [(0, "sits"), (1, "barks"), (3, "sits")]),
        ([(0.5, 1.0, "runs"), (0, 0.5, "sits")], [(0, "sits")], [(0, "runs")]),
        ([(0, 0.2, "sits"), (0.2, 1.0, "sits")], [(0, "sits")], [(0, "sits")]),
        ([], [(0, "")], [(0, "")]),
    ],
)
def test_timelines_become_frames_of_the_window(tmp_path, timeline, first, second):
    write_clip(tmp_path / "a.mkv", 10)
    captions = [{"start": start, "end": end, "text": text} for start, end, text in timeline]
    write_captions(tmp_path, {"file": "a.mkv", "captions": captions})
    folder = VideoFolder(tmp_path, **SMALL)
    assert [[(caption.start, caption.text) for caption in clip.captions] for clip in folder] == [first, second]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{oops", "Expecting property name"),
        ("[]", 'got no "file"; wanted {"file"'),
        ("3", 'got no "file"; wanted {"file"'),
        ('{"caption": "x"}', 'got no "file"'),
        ('{"file": ""}', 'got no "file"'),
        ('{"file": "a.mkv"}', "a.mkv is listed twice; keep one line per file"),
        ('{"file": "./a.mkv"}', "a.mkv is listed twice"),
        ('{"file": "../../x.mp4"}', "'../../x.mp4' leads out of the folder; move the video into it"),
        ('{"file": "a/../../x.mp4"}', "leads out of the folder"),
        ('{"file": "/etc/x.mp4"}', "leads out of the folder"),
        ('{"file": "b.mkv", "caption": 3}', "got a caption 3 that is no text"),
        ('{"file": "b.mkv", "caption": "\\ud800"}', "with half a character"),
        ('{"file": "b.mkv", "captions": [{"start": NaN, "text": "x"}]}', "got NaN, which is no JSON"),
        ('{"file": "b.mkv", "captions": [{"start": 0, "end": Infinity, "text": "x"}]}', "got Infinity, which is no JSON"),
        ('{"file": "b.mkv", "captions": [{"start": "0", "text": "x"}]}', "got a time '0' that is no number of seconds"),
        ('{"file": "b.mkv", "captions": [{"start": true, "text": "x"}]}', "got a time True"),
        ('{"file": "b.mkv", "captions": [{"start": 1e999, "text": "x"}]}', "got a time inf"),
        ('{"file": "b.mkv", "captions": [{"start": 0}]}', "got no 'text' in a caption; wanted"),
        ('{"file": "b.mkv", "captions": [3]}', "wanted {"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"file": "b.mkv", "caption": "x", "captions": []}', 'got both "caption" and "captions"'),
        ('{"file": "b.mkv", "captions": [{"start": 2, "end": 1, "text": "x"}]}', "got a caption from 2.0 s to 1.0 s"),
        ('{"file": "b.mkv", "captions": [{"end": 1, "text": "x"}]}', "got no 'start' in a caption"),
        ('{"file": "b.mkv", "captions": "x"}', "got 'x' as"),
    ],
)
def test_a_bad_line_of_captions_is_named(tmp_path, row, message):
    write_clip(tmp_path / "a.mkv", 5)
    write_captions(tmp_path, {"file": "a.mkv"}, row)
    folder = VideoFolder(tmp_path, **SMALL)
    assert [clip.name for clip in folder] == ["a.mkv@0.00s"] and list(folder.skipped) == ["captions.jsonl line 2"]
    assert message in folder.skipped["captions.jsonl line 2"] and "captions.jsonl line 2" in folder.summary()
    write_captions(tmp_path, row if "a.mkv" not in row else "{}")
    with pytest.raises(ValueError, match=r"no clip can be made from .*: captions\.jsonl line 1: "):
        VideoFolder(tmp_path, **SMALL)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_lines_of_captions_end_with_a_line_feed_alone(tmp_path, separator):
    write_clip(tmp_path / "a.mkv", 5)
    text = f"a dog{separator}runs"
    escaped = {"\x0b": "\\u000b", "\x0c": "\\f", "\x1c": "\\u001c", "\r": "\\r"}.get(separator, separator)
    row = f'{{"file": "a.mkv", "caption": "a dog{escaped}runs"}}'
    (tmp_path / "captions.jsonl").write_bytes(f"\ufeff{row}\r\n\r\n".encode())
    folder = VideoFolder(tmp_path, **SMALL)
    assert folder[0].captions == (Caption(0, text),) and folder.skipped == {}


def test_a_line_in_another_encoding_is_skipped_and_named(tmp_path):
    write_clip(tmp_path / "a.mkv", 5)
    (tmp_path / "captions.jsonl").write_bytes(b'{"file": "a.mkv"}\n{"file": "caf\xe9.mkv"}\n')
    folder = VideoFolder(tmp_path, **SMALL)
    assert "is not UTF-8 text" in folder.skipped["captions.jsonl line 2"] and len(folder) == 1
