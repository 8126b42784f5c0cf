"""The page's files: all are served as what they are, and nothing in them asks for anything elsewhere."""

import asyncio
import re

import pytest
import serving

from framecast.serve.protocol.errors import CODES
from framecast.serve.server.app import PAGE
from framecast.serve.server.guard import STATIC

PAGE_FILES = sorted(path.name for path in PAGE.iterdir() if path.name != "index.html")
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def test_every_file_is_served_as_what_it_is():
    async def run():
        async with serving.running(token="a-token-that-is-long") as server, server.http() as http:
            return [await http.get(path) for path in ("/", *(STATIC + name for name in PAGE_FILES))]

    index, *files = asyncio.run(run())
    assert index.headers["content-type"].startswith("text/html") and "<title>Framecast</title>" in index.text
    for name, file in zip(PAGE_FILES, files, strict=True):
        assert file.status_code == 200 and file.headers["content-type"].startswith(KINDS[name.rpartition(".")[2]])
        assert file.headers["cache-control"] == "no-cache" and file.text == read(name)


@pytest.mark.parametrize("name", ["none.js", "%2e%2e", "..%2fserver%2fapp.py", "..%2fv1%2finfo", "%2fetc%2fpasswd"])
def test_nothing_else_is_served(name):
    async def run():
        async with serving.running(token="a-token-that-is-long") as server, server.http() as http:
            return await http.get(STATIC + name)

    assert asyncio.run(run()).status_code == 404


def test_files_of_other_kinds_and_words_after_the_address_change_nothing(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("<title>Framecast</title>", encoding="utf-8")
    (tmp_path / "page.js~").write_text("", encoding="utf-8")
    monkeypatch.setattr("framecast.serve.server.app.PAGE", tmp_path)

    async def run():
        async with serving.running() as server, server.http() as http:
            return await http.get(STATIC + "page.js~"), await http.get("/?name=page.js~"), await http.get("/?name=nope")

    backup, *pages = asyncio.run(run())
    assert backup.status_code == 404 and all("<title>Framecast</title>" in page.text for page in pages)


@pytest.mark.parametrize("name", ["index.html", *PAGE_FILES])
def test_file_stands_alone(name):
    """What it names is served here, and the policy of the guard's headers forbids none of it."""
    text = read(name).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://(?!\$)|//[a-z]+\.", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*src=)|setAttribute\(\"style|eval\(|innerHTML", text)
    named = re.findall(r'(?:src|href)="(?:static/)?([\w.]+)"|from "\./([\w.]+)"', text)
    assert {a or b for a, b in named} <= set(PAGE_FILES)


def test_every_error_has_a_title():
    titles = set(re.findall(r"^  (\w+): \"", read("errors.js"), re.MULTILINE))
    assert titles == {*CODES, "lost", "page"}
