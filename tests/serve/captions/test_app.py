"""The page of captions by its HTTP interface: who may use it, what it gives, what it writes, and bad input."""

import json

import pytest
from fastapi.testclient import TestClient
from video_folders import write_captions, write_clip

from framecast.data.captioning import CaptionFile
from framecast.serve import ServeConfig
from framecast.serve.captions.app import create_captions_app
from framecast.serve.captions.book import CaptionBook
from framecast.serve.captions.strips import Strips

TOKEN = "a-token-that-is-long"
ENTRIES = [{"start": 0.5, "end": 1.0, "text": "b"}, {"start": 0, "end": 0.5, "text": "a"}]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "videos"
    for name in ("a.mkv", "b.mkv", "c.mkv"):
        write_clip(folder / name, 12)
    (folder / "d.mp4").write_text("no video")
    write_captions(
        folder, {"file": "a.mkv", "caption": "a cat", "by": "rules"}, {"file": "b.mkv", "caption": "x", "by": "model:m"}
    )
    return folder


@pytest.fixture
def client(folder, tmp_path):
    app = create_captions_app(CaptionBook(folder), ServeConfig(token=TOKEN), Strips(tmp_path / "cache"))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(app, base_url="http://127.0.0.1:8000", headers=headers, raise_server_exceptions=False)


def media(client) -> str:
    return client.get("/v1/folder").json()["media"]


def save(client, file="c.mkv", version="", captions=ENTRIES):
    return client.put("/v1/video", params={"file": file}, json={"version": version, "captions": captions})


def test_the_list_is_paged_and_says_who_wrote(client):
    told = client.get("/v1/videos", params={"start": 1, "count": 2}).json()
    assert (told["total"], told["all"]) == (4, 4)
    assert [(row["file"], row["kind"]) for row in told["videos"]] == [("b.mkv", "model"), ("c.mkv", "none")]


@pytest.mark.parametrize(
    ("asked", "files"), [({"show": "rules"}, ["a.mkv"]), ({"show": "none"}, ["c.mkv", "d.mp4"]), ({"find": "CAT"}, ["a.mkv"])]
)
def test_the_list_is_filtered(client, asked, files):
    assert [row["file"] for row in client.get("/v1/videos", params=asked).json()["videos"]] == files


def test_ten_thousand_videos_are_listed_at_once(folder, tmp_path):
    for number in range(10_000):
        (folder / f"{number:05}.mp4").touch()
    book = CaptionBook(folder)
    told = book.page(9_900, 50, "all", "")
    assert told["total"] == 10_004 and len(told["videos"]) == 50 and len(json.dumps(told)) < 20_000


def test_a_save_is_on_disk_in_order_and_by_hand(client, folder):
    told = save(client).json()
    assert told["kind"] == "hand" and [entry["text"] for entry in told["captions"]] == ["a", "b"]
    line = CaptionFile(folder).line("c.mkv")
    assert line.by == "hand" and [text.text for text in line.texts] == ["a", "b"] and line.version == told["version"]
    assert CaptionFile(folder).line("a.mkv").by == "rules"


def test_two_tabs_do_not_overwrite_each_other_silently(client, folder):
    first = save(client).json()
    refused = save(client, captions=[])
    assert refused.status_code == 409 and refused.json()["now"]["version"] == first["version"]
    assert len(CaptionFile(folder).line("c.mkv").texts) == 2
    assert save(client, version=refused.json()["now"]["version"], captions=[]).status_code == 200
    assert CaptionFile(folder).line("c.mkv").texts == ()


WRONG = [
    [{"start": 2, "end": 1, "text": "x"}],
    [{"start": -1, "text": "x"}],
    [{"start": 0, "text": 5}],
    [{"text": "x"}],
    "words",
    [{"start": True, "text": "x"}],
]


@pytest.mark.parametrize("captions", WRONG)
def test_captions_that_are_none_are_refused(client, folder, captions):
    before = (folder / "captions.jsonl").read_bytes()
    answer = save(client, captions=captions)
    assert answer.status_code == 400 and "wanted" in answer.json()["message"]
    assert (folder / "captions.jsonl").read_bytes() == before


@pytest.mark.parametrize("file", ["../a.mkv", "/etc/passwd", "captions.jsonl", "none.mkv", ""])
def test_nothing_but_the_videos_is_reached(client, file):
    place = media(client)
    for path in ("/v1/video", f"{place}/video", f"{place}/strip"):
        assert client.get(path, params={"file": file}).status_code == 404
    assert save(client, file).status_code == 404


@pytest.mark.parametrize("asked", [{"start": -1}, {"count": 0}, {"count": 201}, {"show": "x"}, {"start": "x"}])
def test_a_list_out_of_range_is_refused(client, asked):
    assert client.get("/v1/videos", params=asked).json()["code"] == "bad_message"


def test_other_sites_names_and_people_are_refused(client):
    assert client.get("/v1/videos", headers={"Authorization": ""}).status_code == 401
    assert client.get("/v1/videos", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/v1/videos", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/media/guessed/video", params={"file": "a.mkv"}, headers={"Authorization": ""}).status_code == 401
    assert client.get("/", headers={"Authorization": ""}).status_code == 200


def test_pictures_are_made_once_and_kept(client, tmp_path):
    place = media(client)
    first = client.get(f"{place}/strip", params={"file": "a.mkv"}, headers={"Authorization": ""})
    (kept,) = (tmp_path / "cache").iterdir()
    assert first.status_code == 200 and first.content == kept.read_bytes()
    kept.write_bytes(b"kept")
    assert client.get(f"{place}/strip", params={"file": "a.mkv"}).content == b"kept"
    assert client.get(f"{place}/frame", params={"file": "a.mkv", "at": 99}).headers["content-type"] == "image/jpeg"
    assert client.get(f"{place}/frame", params={"file": "a.mkv", "at": -1}).status_code == 400
    assert client.get(f"{place}/strip", params={"file": "d.mp4"}).status_code == 404


def test_a_video_is_given_in_parts_and_a_bad_one_is_named(client, folder):
    part = client.get(f"{media(client)}/video", params={"file": "a.mkv"}, headers={"Range": "bytes=0-9"})
    assert part.status_code == 206 and part.content == (folder / "a.mkv").read_bytes()[:10]
    assert client.get("/v1/video", params={"file": "a.mkv"}).json()["seconds"] == pytest.approx(1.2, abs=0.05)
    assert "cannot be opened" in client.get("/v1/video", params={"file": "d.mp4"}).json()["broken"]


def test_the_page_asks_nobody_else(client):
    page = client.get("/").text
    assert (
        "http" not in page and client.get("/static/page.css").status_code == client.get("/static/captions.js").status_code == 200
    )
    assert client.get("/static/index.html").status_code == client.get("/static/none.js").status_code == 404
