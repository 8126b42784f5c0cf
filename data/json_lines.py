"""Files of one JSON object a line, which name videos of a folder."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

NOT_A_ROW = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What a line that means nothing raises."""


def json_lines(listing: Path, wanted: str) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and content of each line that is not empty.

    Lines end with a line feed, with or without a carriage return, and with nothing else: texts may hold any other separator.

    Args:
        listing: The file.
        wanted: What a line should look like.

    Raises:
        ValueError: If the file cannot be read.
    """
    if not listing.is_file():
        raise ValueError(f"{listing} is not a file; give one JSON object per line: {wanted}")
    try:
        lines = listing.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise ValueError(f"{listing} cannot be read ({error.strerror}); make it readable") from error
    yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def why(error: Exception, wanted: str, among: str = "") -> str:
    """Why a line cannot be used.

    Args:
        error: What it raised.
        wanted: What a line should look like.
        among: What a name that lacks was looked for in, such as " in a caption".
    """
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 text ({error.reason}); save the file as UTF-8"
    if isinstance(error, RecursionError):
        return f"is nested too deeply; wanted {wanted}"
    if isinstance(error, KeyError):
        return f"got no {error}{among}; wanted {wanted}"
    text = str(error)
    return text if "; " in text else f"{text}; wanted {wanted}"


def file_of(row: Any) -> str:
    """The file that a line names, as a path below the folder, in one spelling.

    Raises:
        ValueError: It names none, or one that lies elsewhere.
    """
    if not isinstance(row, dict) or not isinstance(row.get("file"), str) or not row["file"]:
        raise ValueError('got no "file"')
    return inside(row["file"])


def inside(file: str) -> str:
    """A path below the folder, in one spelling.

    Raises:
        ValueError: It leads out of the folder.
    """
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\0" in file:
        raise ValueError(f"{file!r} leads out of the folder; move the video into it, and give its path from there")
    return path.as_posix()
