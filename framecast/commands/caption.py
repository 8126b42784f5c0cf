"""`framecast caption`: says what the videos of a folder show, for a training."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.captioning import Captioned

HELP = "write, mend or check the captions of a folder of videos"
_PIECES = 48
_NAMED = 5


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", help="the folder of the videos; captions.jsonl in it is written")
    parser.add_argument(
        "--captioner",
        default=None,
        metavar="NAME",
        help="transformers:FOLDER, an image-to-text model on this machine, or module:function, called with frames and their "
        "rate (default: rules that measure)",
    )
    parser.add_argument(
        "--include", nargs="+", default=None, metavar="PATTERN", help="files to caption, such as clips/* (default: all)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write anew what is there, except by hand; a copy of other people's is kept"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--edit", action="store_true", help="mend captions by hand on a page of this machine")
    what.add_argument("--check", action="store_true", help="say what is thin; the exit status is 1 if it would spoil a training")
    parser.add_argument("--port", type=int, default=None, help="port of the page; 0 takes a free one (default: 8000)")
    parser.add_argument("--no_browser", action="store_true", default=None, help="open no browser for the page")


def run(arguments: Namespace) -> None:
    _refuse_mixed(arguments)
    folder, include = Path(arguments.folder), tuple(arguments.include or ("*",))
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; give the folder that holds the videos")
    if arguments.edit:
        _edit(arguments, folder, include)
    elif arguments.check:
        _check(folder, include)
    else:
        _write(arguments, folder, include)


def _refuse_mixed(arguments: Namespace) -> None:
    """Raises ValueError if an option would do nothing."""
    page = [name for name in ("port", "no_browser") if getattr(arguments, name) is not None]
    if page and not arguments.edit:
        raise ValueError(f"got --{page[0]} without --edit; wanted it for the page alone; add --edit")
    written = [name for name in ("captioner", "overwrite") if getattr(arguments, name)]
    if written and (arguments.edit or arguments.check):
        raise ValueError(f"got --{written[0]} with --{'edit' if arguments.edit else 'check'}; wanted one or the other")


def _write(arguments: Namespace, folder: Path, include: tuple[str, ...]) -> None:
    from ..data.captioning import CaptionerError, caption_folder, captioner_of

    try:
        done = caption_folder(folder, captioner_of(arguments.captioner), include, arguments.overwrite)
    except CaptionerError as error:
        raise ValueError(f"{error}; the captions so far are kept") from error
    _say_done(folder, done)


def _say_done(folder: Path, done: "Captioned") -> None:
    from ..data.counted import counted
    from ..data.folder import printable

    entries = counted(sum(done.files.values()), "entry", "entries")
    print(f"{folder / 'captions.jsonl'}: {entries} written for {counted(len(done.files), 'file')}")
    for by, number in Counter(done.kept.values()).items():
        print(f"  kept: {counted(number, 'file')} with captions by {by or 'somebody'}")
    if done.copy is not None:
        print(f"  as it was before: {done.copy}")
    if done.skipped:
        print(f"  skipped: {counted(len(done.skipped), 'file')}")
    for file, why in list(done.skipped.items())[:_NAMED]:
        print(f"    {printable(file)}: {why}")
    if len(done.skipped) > _NAMED:
        print(f"    and {len(done.skipped) - _NAMED:,} more")


def _check(folder: Path, include: tuple[str, ...]) -> None:
    from ..data.captioning import CaptionFile, check_captions, videos_of
    from ..data.counted import counted
    from ..progress import tracked
    from ..tokenizer import TextTokenizer

    captions = CaptionFile(folder)
    files = videos_of(folder, captions, include)
    texts = {file: captions.line(file).texts for file in files}
    lengths = {file: _length(folder / file) for file in tracked(files, f"looking at {folder}", unit="files")}

    def pieces(said: Sequence[str]) -> list[int]:
        tokenizer = TextTokenizer.train(said)
        return [len(tokenizer.encode(text, len(text.encode()) + 2)) for text in said]  # room for a piece a byte

    found = check_captions(texts, lengths, pieces, _PIECES)
    print(f"{folder}: {counted(len(files), 'file')}, {counted(sum(map(len, texts.values())), 'entry', 'entries')}")
    for finding in found:
        print(f"  {'SPOILS a training: ' if finding.spoils else ''}{finding}")
    if not found:
        print("  nothing is thin")
    if any(finding.spoils for finding in found):
        sys.stdout.flush()
        raise SystemExit(1)


def _length(path: Path) -> float | None:
    """Seconds of a video by its header, if it says so."""
    from ..data import VideoError, VideoReader

    try:
        with VideoReader(path, fps=1) as reader:
            return reader.info().duration
    except VideoError:
        return None


def _edit(arguments: Namespace, folder: Path, include: tuple[str, ...]) -> None:
    try:
        from ..serve.captions.run import run_editor
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it for the page; pip install '.[serve]'") from error
    from .play import open_page
    from .serve import token_of

    run_editor(folder, include, arguments.port, token_of(None), None if arguments.no_browser else open_page)
