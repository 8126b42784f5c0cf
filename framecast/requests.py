"""What a command line asks for, checked before the long work starts: its prompt, where it writes, how much it holds."""

import os
import re
from argparse import Namespace
from collections.abc import Collection, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from .data.video import WRITERS
from .sample.bundle_files import open_bundle
from .sample.token_file import SUFFIX

_SHOWN, _NAME_LENGTH = 60, 60  # letters


def given_options(arguments: Namespace, *names: str) -> dict[str, Any]:
    """The options of these names that were given; the others have the defaults of what takes them."""
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def one_prompt(words: Sequence[str]) -> str:
    """The prompt of a command line.

    Raises:
        ValueError: There are several: the shell has split one that had no quotes, or a list was meant.
    """
    check_unsplit(words)
    if len(words) > 1:
        raise ValueError(
            f'got {len(words)} prompts, "{words[0]}", "{words[1]}" and so on; wanted one; run the command once for each, or take '
            "`framecast sample`, which makes a clip of each"
        )
    return words[0]


def check_unsplit(words: Sequence[str]) -> None:
    """Raises ValueError if words look like one prompt that the shell has split, since it had no quotes."""
    single = sum(len(word.split()) == 1 for word in words)
    if len(words) > 1 and 2 * single > len(words):
        raise ValueError(
            f'got {len(words)} prompts, "{words[0]}", "{words[1]}" and so on, which look like one that the shell has split; '
            f'put it in quotes: "{" ".join(words)[:_SHOWN]}"'
        )


def fill_prompt(arguments: Namespace, given: str) -> None:
    """Fills in the prompt of a command, if none was given and none is needed: all videos of the training showed one thing.

    Args:
        arguments: With `prompt` and `bundle`. A model that was trained without captions gets the null prompt.
        given: What the command was given, for the error.

    Raises:
        ValueError: A prompt is needed.
    """
    if arguments.prompt is not None:
        return
    arguments.prompt = open_bundle(arguments.bundle).caption
    if arguments.prompt is None:
        raise ValueError(f'got {given} and no --prompt; wanted to know what the video shows; add it: --prompt "what it shows"')


def fill_prompts(arguments: Namespace, command: str) -> None:
    """As `fill_prompt`, for a command whose prompts are words beside its options; `None` lets the start say the prompt.

    Raises:
        ValueError: A prompt is needed.
    """
    if arguments.prompt:
        return
    caption = open_bundle(arguments.bundle).caption
    if caption is None and arguments.start is None:
        raise ValueError(f'got no prompt; wanted to know what the video shows; add it: framecast {command} "what it shows"')
    arguments.prompt = [caption if arguments.start is None else None]


def given_or_fresh(out: str | None, name: str, suffix: str = ".mp4", taken: Collection[str] = ()) -> str:
    """The output file that was asked for, or else a new one in this folder, named after a text; nothing there is overwritten.

    Args:
        out: What was asked for.
        name: A prompt, or the name of what is read.
        suffix: Of a new file.
        taken: Names of files that are still to be written.
    """
    if out is not None:
        return out
    plain = re.sub(r"\W+", "_", name).strip("_")[:_NAME_LENGTH].rstrip("_") or "video"
    endings = chain([""], (f"_{number}" for number in count(2)))
    names = (f"{plain}{ending}{suffix}" for ending in endings)
    return next(name for name in names if name not in taken and not os.path.lexists(name))


def numbered(out: str, number: int) -> str:
    """The name of one of several files that share an `--out`."""
    path = Path(out)
    return str(path.with_name(f"{path.stem}_{number}{path.suffix}"))


def checked_out(out: str, suffixes: Sequence[str] = (*WRITERS, SUFFIX), given: str | None = None) -> Path:
    """The output path; before the long work starts it is known to be writable, and not the file that is read."""
    path = Path(out)
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    if path.suffix.lower() not in suffixes or path.is_dir():
        raise ValueError(f"got the output file {path}; wanted the name of a file that ends in {', '.join(suffixes)}")
    _check_writable(path)
    if given is not None and path.exists() and Path(given).exists() and path.samefile(given):
        raise ValueError(f"got {path} to read and to write; wanted another --out: what is read would be lost")
    return path


def checked_folder(out: str) -> Path:
    """The output folder, which need not be there yet; before the long work starts it is known that it can be made and written."""
    if not out:
        raise ValueError("got an empty --out; wanted the name of a folder")
    folder = Path(out)
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise ValueError(f"cannot write the folder {folder}: File exists: {there}; name another")
    _check_writable(there / "file")
    return folder


def _check_writable(path: Path) -> None:
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise ValueError(f"cannot write {path}: {place} may not be written; name another place or change its permissions")
    if path.exists() and not path.is_file():
        raise ValueError(f"cannot write {path}: it is no regular file; name another")


def check_memory(num_bytes: int, num_frames: int) -> None:
    """Raises ValueError if the frames of a clip cannot be held."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if num_bytes > memory:
        raise ValueError(
            f"got --num_frames {num_frames}, whose frames take {num_bytes / 2**30:,.0f} GiB; wanted fewer than the "
            f"{memory / 2**30:.0f} GiB of memory; `framecast stream` writes a video of any length while it is made"
        )
