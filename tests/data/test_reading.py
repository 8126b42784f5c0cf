"""What a path is, and how large, is asked before a byte is read."""

import os

import pytest

from framecast.data.reading import parse_json, read_regular, regular_size


def test_a_regular_file_is_read_also_through_a_link(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert regular_size(tmp_path / "link") == 3 and read_regular(tmp_path / "link", most=3) == b"abc"
    with pytest.raises(ValueError, match=r"file has 3 bytes; wanted at most 2"):
        read_regular(tmp_path / "file", most=2)


def make_pipe(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_pipe, "is a pipe; wanted a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device; wanted a regular file"),
        (lambda path: path.mkdir(), "is a folder; wanted a regular file"),
        (lambda path: path.symlink_to("nowhere"), "cannot be read"),
        (lambda path: path.symlink_to(path.name), "cannot be read"),
        (lambda path: None, r"cannot be read \(No such file"),
    ],
    ids=["pipe", "device", "folder", "dangling", "loop", "nothing"],
)
def test_what_is_no_regular_file_is_named(tmp_path, make, words):
    make(tmp_path / "it")
    for read in (regular_size, lambda path: read_regular(path, 10)):
        with pytest.raises(ValueError, match=rf"it {words}"):
            read(tmp_path / "it")


def test_a_file_of_holes_is_not_read(tmp_path):
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="wanted at most 100"):
        read_regular(tmp_path / "holes", 100)


@pytest.mark.parametrize(
    "text", ["", "{", "\ufeff{}", '{"a": 1, "a": 2}', "[" * 100 + "]" * 100, "[" * 10**6, "1" * 10_000, b"\xff"]
)
def test_json_that_does_not_mean_one_thing_is_refused(text):
    with pytest.raises(ValueError):
        parse_json(text)


def test_json_is_what_it_says():
    assert parse_json(b'{"a": [1, 2.5, null, {"b": "\xc3\xa9"}]}') == {"a": [1, 2.5, None, {"b": "é"}]}
    assert parse_json("[" * 60 + "]" * 60)
