"""`framecast caption`: what it writes and says, and each bad input with its message."""

import json

import pytest
from video_folders import write_captions, write_clip

from framecast.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mkv", "b.mkv"):
        write_clip(tmp_path / "videos" / name, 12)
    (tmp_path / "videos" / "bad.mp4").write_text("no video")

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["caption", *words])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run


def test_captions_are_written_and_summed_up(run, tmp_path):
    code, out, _ = run("videos")
    assert code == 0 and "written for 2 files" in out and "skipped: 1 file" in out and "bad.mp4 cannot be opened" in out
    lines = [json.loads(line) for line in (tmp_path / "videos" / "captions.jsonl").read_text().splitlines()]
    assert [(line["file"], line["by"]) for line in lines] == [("a.mkv", "rules"), ("b.mkv", "rules")]
    code, out, _ = run("videos")
    assert "0 entries written" in out and "kept: 2 files with captions by rules" in out


def test_overwrite_says_where_the_copy_lies(run, tmp_path):
    write_captions(tmp_path / "videos", {"file": "a.mkv", "caption": "old"})
    code, out, _ = run("videos", "--overwrite", "--include", "a.mkv")
    assert code == 0 and "captions.before-1.jsonl" in out


def test_check_says_what_is_thin_and_ends_with_its_status(run, tmp_path):
    code, out, _ = run("videos", "--check")
    assert code == 1 and "SPOILS a training: files without captions" in out
    write_captions(tmp_path / "videos", *({"file": f"{name}.mkv", "caption": "a ball rolls left"} for name in "ab"))
    code, out, _ = run("videos", "--check", "--include", "*.mkv")
    assert code == 0 and "nothing is thin" in out


WRONG = {
    ("none",): "is not a folder",
    ("videos", "--port", "0"): "got --port without --edit",
    ("videos", "--check", "--overwrite"): "got --overwrite with --check",
    ("videos", "--captioner", "x"): "wanted transformers:FOLDER or package.module:function",
    ("videos", "--include", "x*"): "there is no video below",
    ("videos", "--check", "--edit"): "not allowed with",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_done_is_said(run, words):
    code, _, err = run(*words)
    assert code == 2 and WRONG[words] in err
