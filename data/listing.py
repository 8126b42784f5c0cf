"""Which files below a folder may be videos. What is left out is named, but for files that are plainly something else."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from .caption_lines import CAPTIONS_FILE, Texts, read_caption_lines

VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .apng .asf .avi .divx .f4v .flv .gif .h264 .h265 .hevc .ivf .m2ts .m2v .m4v .mjpeg .mkv .mov .mp4 .mpeg "
    ".mpg .mts .mxf .nut .ogv .ts .vob .webm .wmv .y4m".split()
)  # for folders and pipes, which cannot be asked
NO_VIDEO = frozenset(
    ".7z .aac .ass .bash .bmp .bz2 .c .cfg .ckpt .conf .cpp .css .csv .cube .db .doc .docx .exe .fct .flac .gz .h .heic "
    ".htm .html .ico .ini .ipynb .jpeg .jpg .js .json .jsonl .lock .log .m3u .m3u8 .m4a .md .md5 .mid .mp3 .mpd .npy .npz "
    ".odt .opus .parquet .pdf .pickle .pkl .pls .ppt .pptx .pt .pth .py .pyc .rar .rst .safetensors .sdp .sh .sha1 "
    ".sha256 .smi .srt .ssa .sub .svg .tar .tgz .tif .tiff .toml .tsv .txt .url .vtt .wav .wma .xls .xlsx .xml .xz .yaml "
    ".yml .zip .zst".split()
)  # plainly something else
PICTURES = {".png": b"acTL", ".webp": b"ANIM"}  # what is in their first bytes if they move


@dataclass
class Listing:
    """Files to use with their captions, in order, and what was left out."""

    texts: Texts = field(default_factory=dict)
    """Captions by path below the folder, with forward slashes."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why something was left out, by path or line."""


def list_videos(root: Path, include: str | Sequence[str], exclude: str | Sequence[str], captions: Path | None = None) -> Listing:
    """The files that `captions.jsonl` names, or else all below a folder that may be videos, also in linked folders.

    Args:
        root: The folder.
        include: Patterns of paths, or one; a file must match one of them.
        exclude: Patterns of paths to leave out, or one.
        captions: A file to read in the place of `captions.jsonl` in the folder.

    Raises:
        ValueError: If `captions.jsonl` cannot be read, or the patterns are no text.
    """
    _patterns("include", include), _patterns("exclude", exclude)
    found = Listing()
    listing = root / CAPTIONS_FILE if captions is None else captions
    if captions is not None or os.path.lexists(listing):
        found.texts, found.skipped = read_caption_lines(listing)
    else:
        _Walk(root, found)
        found.texts = {file: () for file in sorted(found.texts)}

    def chosen(file: str) -> bool:
        return chosen_by(file, include, exclude)

    found.texts = {file: texts for file, texts in found.texts.items() if chosen(file)}
    found.skipped = {file: why for file, why in found.skipped.items() if file.startswith(listing.name) or chosen(file)}
    return found


def chosen_by(file: str, include: str | Sequence[str], exclude: str | Sequence[str] = ()) -> bool:
    """Whether a path below a folder fits one of the patterns to include, and none of those to exclude.

    Raises:
        ValueError: The patterns are no text.
    """
    wanted, unwanted = _patterns("include", include), _patterns("exclude", exclude)
    return any(fnmatch(file, pattern) for pattern in wanted) and not any(fnmatch(file, pattern) for pattern in unwanted)


def all_videos(root: Path) -> list[str]:
    """All files below a folder that may be videos, whether or not captions name them."""
    found = Listing()
    _Walk(root, found)
    return sorted(found.texts)


class _Walk:
    """Goes through a folder and those within, each once, however they are linked."""

    def __init__(self, root: Path, found: Listing):
        self._found = found
        self._look(root, "", [_identity(root)])

    def _look(self, folder: Path, prefix: str, above: list[tuple[int, int]]) -> None:
        for entry in self._entries(folder, prefix):
            name = prefix + entry.name
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                if _may_move(Path(entry.path), None):
                    self._found.skipped[name] = _unreachable(entry, error)
                continue
            if stat.S_ISDIR(mode):
                self._enter(Path(entry.path), name, above)
            elif _may_move(Path(entry.path), mode):
                if stat.S_ISREG(mode):
                    self._found.texts[name] = ()
                else:
                    self._found.skipped[name] = "is a pipe, a socket or a device, and not a file; remove it"

    def _enter(self, folder: Path, name: str, above: list[tuple[int, int]]) -> None:
        identity = _identity(folder)
        if identity in above:
            self._found.skipped[name] = "is a link back to a folder that it lies in; remove it"
            return
        before = len(self._found.texts)
        self._look(folder, f"{name}/", [*above, identity])
        if folder.suffix.lower() in VIDEO_SUFFIXES and len(self._found.texts) == before:
            self._found.skipped[name] = "is a folder and not a video; name a video in it"

    def _entries(self, folder: Path, prefix: str) -> Iterator[os.DirEntry]:
        try:
            with os.scandir(folder) as entries:
                yield from [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            self._found.skipped[prefix.rstrip("/") or "."] = f"cannot be looked into ({error.strerror}); make it readable"


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _unreachable(entry: os.DirEntry, error: OSError) -> str:
    if entry.is_symlink():
        return f"is a link that leads nowhere ({error.strerror}); mend or remove it"
    return f"is out of reach ({error.strerror}); make it readable"


def _may_move(path: Path, mode: int | None) -> bool:
    """Whether a file is not plainly something other than a video; what is inside decides, later."""
    suffix = path.suffix.lower()
    if suffix not in PICTURES or mode is None or not stat.S_ISREG(mode):
        return suffix not in NO_VIDEO | PICTURES.keys()
    try:
        with path.open("rb") as file:
            return PICTURES[suffix] in file.read(4096)
    except OSError:
        return True


def _patterns(name: str, value: str | Sequence[str]) -> list[str]:
    patterns = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else [value]
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise ValueError(f'got {value!r} as `{name}`; wanted patterns of paths; e.g. ["a/*"]')
    return patterns
