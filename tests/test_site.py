"""The site has all that is public (law 7), each page is in its navigation, and each link leads to a heading that is there."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_docs import DOCS, PAGES, REPO, page_name

import framecast

ROOMS = ("data", "tokenizer", "model", "sample", "evaluate", "train", "serve")
TEXTS = [*PAGES, REPO / "CHANGELOG.md"]
MOST_WORDS = 30
"""Of a sentence in README and docs."""


def documented_names(text: str) -> list[str]:
    """The names that an API page documents, without those that it takes from elsewhere by their whole path."""
    return re.findall(r"^\.\. (?:auto\w+|py:\w+):: (\w+)$", text, re.MULTILINE)


def public_definitions(room: str) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef]]:
    """The public classes and functions of a room, read without importing them: the room's stub says where they lie."""
    for line in ast.parse((REPO / room / "__init__.pyi").read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom):
            path = REPO / room / (line.module or "").replace(".", "/")
            files = path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]
            names = {alias.name for alias in line.names}
            for node in (node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body):
                if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names:
                    yield node.name, node


def without_code(text: str) -> str:
    """A page without its fenced blocks and its code in backquotes."""
    return re.sub(r"`[^`\n]*`", "code", re.sub(r"^ *(`{3,}).*?^ *\1$", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """The names by which the headings of a page can be reached, as GitHub and the site make them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).strip().replace(" ", "-")
        found.add(name if name not in found else next(f"{name}-{n}" for n in range(1, 100) if f"{name}-{n}" not in found))
    return found


def links(text: str) -> list[str]:
    """The targets of all links and pictures of a page, outside of code."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def bad_link(target: str, page: Path) -> bool:
    """Whether a link leads nowhere. Of addresses on the web only the shape is checked."""
    if target.startswith(("http:", "https:", "mailto:")):
        return re.fullmatch(r"https?://[\w-]+(\.[\w-]+)+(:\d+)?(/[^\s<>\"]*)?|mailto:\S+@\S+", target) is None
    file, _, anchor = target.partition("#")
    there = page if not file else page.parent / file
    if not there.exists():
        return True
    return bool(anchor) and anchor not in anchors(there.read_text(encoding="utf-8"))


def sentences(text: str) -> Iterator[str]:
    """The sentences of the paragraphs and lists of a page; tables, headings and code are left out."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)(\{[^}]*\})?", r"\1", without_code(text))
    lines = ["" if re.match(r"\s*(#|\||:::|---)", line) else line for line in text.splitlines()]
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", "\n".join(lines))
    for block in blocks:
        yield from re.split(r"(?<=[.!?])[\"*)]*\s+", " ".join(block.split()))


def navigation() -> set[str]:
    """The pages that the tables of contents name, without their suffix."""
    named: set[str] = set()
    for page in PAGES:
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            lines = [line for line in block.splitlines() if line and not line.startswith(":")]
            named |= {(page.parent / line).relative_to(DOCS).as_posix() for line in lines}
    return named


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_documented_once(room):
    public = importlib.import_module(f"framecast.{room}").__all__
    assert sorted(documented_names((DOCS / "api" / f"{room}.md").read_text(encoding="utf-8"))) == sorted(public)


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_class_and_function_has_a_docstring(room):
    found = dict(public_definitions(room))
    missing = set(importlib.import_module(f"framecast.{room}").__all__) - set(found)
    assert all(name.isupper() for name in missing), "these are defined nowhere"
    assert [name for name, node in found.items() if not ast.get_docstring(node)] == []


def test_front_of_the_reference_has_every_name_of_the_package():
    text = (DOCS / "api" / "index.md").read_text(encoding="utf-8")
    assert [name for name in framecast.__all__ if not re.search(rf"\b{name}\b", text)] == []
    assert [room for room in ROOMS if f"({room}.md)" not in text] == []


def test_call_of_the_training_is_documented_as_it_is():
    text = (DOCS / "api" / "train.md").read_text(encoding="utf-8")
    (documented,) = re.findall(r"py:function:: framecast\.train\((.*)\)$", text, re.MULTILINE)
    parameters = inspect.signature(framecast.train).parameters.values()
    plain = [p.name if p.default is p.empty else f"{p.name}={json.dumps(p.default)}" for p in parameters]
    assert documented.replace("*, ", "").replace("None", "null").split(", ") == plain


@pytest.mark.parametrize("page", TEXTS, ids=page_name)
def test_links_lead_somewhere(page):
    assert [target for target in links(page.read_text(encoding="utf-8")) if bad_link(target, page)] == []


def test_every_page_is_in_the_navigation():
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if DOCS in page.parents}
    assert pages - {"index"} == navigation()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_sentences_are_short(page):
    long = [text for text in sentences(page.read_text(encoding="utf-8")) if len(text.split()) > MOST_WORDS]
    assert long == [], f"wanted at most {MOST_WORDS} words in each"


def test_pages_of_the_site_show_pictures_that_are_small():
    gallery = list((DOCS / "images" / "gallery").glob("*.webp"))
    assert len(gallery) >= 5
    assert sum(path.stat().st_size for path in gallery) < 1_500_000


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("furo")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    run = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "framecast-sample" in (tmp_path / "command_line.html").read_text(encoding="utf-8")


def test_control_dead_ends_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One Two\n\n[a](#one-two) [b](#three) [c](other.md) [d](https://example) [e](https://example.org/x)\n")
    assert [target for target in links(page.read_text()) if bad_link(target, page)] == ["#three", "other.md", "https://example"]


def test_control_long_sentences_are_seen():
    text = f"Short. {'word ' * 31}end. Short again.\n\n| {'cell ' * 40} |\n\n```text\n{'code ' * 40}\n```\n"
    assert [len(sentence.split()) for sentence in sentences(text) if len(sentence.split()) > MOST_WORDS] == [32]


def test_control_missing_names_are_seen():
    text = (
        ".. autoclass:: Clip\n   :members:\n\n.. autofunction:: load\n.. py:data:: QUICK\n.. autoclass:: framecast.else.Where\n"
    )
    assert documented_names(text) == ["Clip", "load", "QUICK"]
