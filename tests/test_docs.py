"""What README and docs say holds (law 7): snippets compile, commands parse, paths and links lead somewhere."""

import argparse
import ast
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

import framecast

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / "docs"
PAGES = sorted(
    [REPO / "README.md", REPO / "CONTRIBUTING.md", *(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)]
)
NOT_RUN = ("train", "record", "serve", "play")
FOLDERS = "framecast|data|tokenizer|model|sample|train|evaluate|serve|tests|docs|benchmarks"
PATH = re.compile(rf"(?<![\w./-])(?!framecast/World-v\d)(?:{FOLDERS})/[\w./*-]*\w")  # the id of Gymnasium is no path


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page: its language, and its text without the fences."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def find_snippets(text: str, page: str) -> Iterator[Snippet]:
    """Every fenced block of a Markdown text."""
    for match in re.finditer(r"^ *```(\w+)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        yield Snippet(page, text[: match.start()].count("\n") + 1, match[1], match[2])


def page_name(page: Path) -> str:
    """Its path, from `docs` on: "README.md", "sampling.md", "howto/share.md"."""
    return page.relative_to(REPO).as_posix().removeprefix("docs/")


def snippets(*languages: str) -> list[Snippet]:
    found = [s for page in PAGES for s in find_snippets(page.read_text(encoding="utf-8"), page_name(page))]
    return [snippet for snippet in found if snippet.language in languages]


def check_python(code: str) -> None:
    """Raises where `code` does not compile, or uses a name of framecast that does not exist."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("framecast"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "framecast":
            assert node.attr in framecast.__all__, f"framecast.{node.attr} is no public name"


def shell_commands(text: str) -> list[list[str]]:
    """The commands of a shell block as words; of a console block only the lines after `$ `."""
    lines = text.replace("\\\n", " ").splitlines()
    prompted = [line.strip()[2:] for line in lines if line.strip().startswith("$ ")]
    return [words for line in prompted or lines if (words := shlex.split(line, comments=True))]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def command_parser() -> argparse.ArgumentParser:
    """The parser of the `framecast` command: the one place that says how documented commands are checked."""
    return importlib.import_module("framecast.cli").build_parser()


def our_arguments(words: list[str]) -> list[str] | None:
    """What follows `framecast` (or `python -m framecast`) in a command; None for the commands of others."""
    words = words[2:] if words[:2] == ["python", "-m"] else words
    return words[1:] if words[0] == "framecast" else None


def check_command(words: list[str], make_parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Raises where a command of ours would be refused before it does any work. Commands of others pass."""
    if words[0] == "make":
        assert set(words[1:]) <= make_targets(), f"make knows {sorted(make_targets())}, not {words[1:]}"
    if (arguments := our_arguments(words)) is not None:
        try:
            make_parser().parse_args(arguments)
        except SystemExit as exit:  # 0 is --help
            assert exit.code == 0, f"`{shlex.join(words)}` is refused by the command line"


def missing_paths(text: str) -> list[str]:
    """Paths into the repository that a page names in code and that are not there."""
    code = re.findall(r"`([^`\n]+)`", text) + [s.text for s in find_snippets(text, "")]
    return [name for piece in code for name in PATH.findall(piece) if not list(REPO.glob(name))]


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative targets of links and pictures that are not there. Addresses on the web are not followed."""
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    return [target for target in targets if target and ":" not in target and not (folder / target).exists()]


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_python_snippet_is_sound(snippet):
    check_python(snippet.text)


@pytest.mark.parametrize("snippet", snippets("yaml", "json"), ids=str)
def test_data_snippet_is_sound(snippet):
    if snippet.language == "yaml":
        assert yaml.safe_load(snippet.text)
    else:
        assert [json.loads(line) for line in snippet.text.splitlines()]


@pytest.mark.parametrize("snippet", snippets("bash", "console"), ids=str)
def test_commands_are_taken(snippet):
    for words in shell_commands(snippet.text):
        check_command(words, command_parser)


def programs() -> list[list[Snippet]]:
    """What runs as one: each snippet by itself, and all snippets of a tutorial one after the other, as its reader runs them."""
    found = snippets("python")
    tutorials = {snippet.page: [s for s in found if s.page == snippet.page] for snippet in found if is_tutorial(snippet.page)}
    return [[snippet] for snippet in found if not is_tutorial(snippet.page)] + list(tutorials.values())


def is_tutorial(page: str) -> bool:
    return page.startswith("tutorials/")


@pytest.mark.parametrize("program", programs(), ids=lambda program: str(program[0]))
def test_python_snippet_runs(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "snippet"}
    for snippet in program:
        exec(compile(snippet.text, str(snippet), "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "sampling.md", "quickstart.md", "tutorials/watch.md"])
def test_commands_run(page, tmp_path):
    """In the order of the page, in one folder; what takes long, or does not end by itself, has its own tests."""
    (tmp_path / "sample").symlink_to(REPO / "sample")
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    commands = [words for s in snippets("bash", "console") if s.page == page for words in shell_commands(s.text)]
    ours = [arguments for words in commands if (arguments := our_arguments(words)) and arguments[0] not in NOT_RUN]
    assert ours
    for arguments in ours:
        command = [sys.executable, "-m", "framecast", *arguments]
        run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert run.returncode == 0, f"{shlex.join(arguments)}\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_page_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    assert missing_paths(text) == []
    assert broken_links(text, page.parent) == []


def test_pages_are_found():
    assert len(PAGES) >= 8
    assert len(snippets("python")) >= 2
    assert len(snippets("bash", "console")) >= 3


@pytest.mark.parametrize("code", ["for x in y", "import framecast\nframecast.lod_bundle()", "from framecast import no"])
def test_control_bad_python_is_refused(code):
    with pytest.raises((SyntaxError, AssertionError)):
        check_python(code)


@pytest.mark.parametrize("line", ["make tset", "framecast smaple x", "python -m framecast sample --oot a.mp4 x"])
def test_control_bad_command_is_refused(line):
    parser = argparse.ArgumentParser()
    sample = parser.add_subparsers(required=True).add_parser("sample")
    sample.add_argument("prompt")
    sample.add_argument("--out")
    check_command(shlex.split("framecast sample 'a red circle' --out a.mp4"), lambda: parser)
    check_command(shlex.split("framecast sample --help"), lambda: parser)
    with pytest.raises(AssertionError):
        check_command(shlex.split(line), lambda: parser)


def test_control_dead_ends_are_seen():
    assert missing_paths("see `data/nothing.py` and `setup.cfg`\n```bash\ncat train/configs/no.yaml\n```") == [
        "data/nothing.py",
        "train/configs/no.yaml",
    ]
    assert broken_links("[a](nothing.md#x) [b](README.md) [c](https://example.org)", REPO) == ["nothing.md"]


def test_console_blocks_are_read_after_the_prompt():
    text = "$ framecast info \\\n    folder  # what it holds\nsize 3 MB\n"
    assert shell_commands(text) == [["framecast", "info", "folder"]]
    assert shell_commands("make demo\n\n# a word\nmake test\n") == [["make", "demo"], ["make", "test"]]
