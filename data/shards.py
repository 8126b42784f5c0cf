"""Token shards: clips tokenized once and kept in safetensors files, to train from many times.

A folder holds `shard-00000.safetensors`, ... and `index.json`, which names every shard with its count and hash. A shard
holds one tensor `tokens` `[N, T, h, w]`, int16 where the values fit and int32 where not, and in its header the names
and captions of its clips as JSON. Shards and index are replaced whole, so an interrupted writing keeps what was done.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import Dataset

from .clips import Caption
from .files import replacing
from .reading import parse_json, read_regular, regular_size

FORMAT = 1
INDEX_FILE = "index.json"
_LARGEST_INDEX = 2**26
INT16_MAX = torch.iinfo(torch.int16).max
INT32_MAX = torch.iinfo(torch.int32).max


@dataclass(frozen=True, eq=False)
class TokenClip:
    """The tokens of a clip with the captions that hold during it."""

    tokens: Tensor
    """int64 `[T, h, w]` on the latent grid."""
    captions: tuple[Caption, ...]
    """In order of their start, which counts latent frames; the first starts at 0."""
    name: str
    """Unique within a source."""


@dataclass(frozen=True)
class Shard:
    """What the index says of one shard."""

    file: str
    """Name in the folder."""
    num_clips: int
    """Clips in it."""
    num_bytes: int
    """Size of the file."""
    sha256: str
    """Hash of the file."""


@dataclass(frozen=True)
class Index:
    """What `index.json` says."""

    meta: dict[str, Any]
    """What the writer stated, such as the tokenizer's hash; plain JSON values."""
    clips_per_shard: int
    """Clips in every shard but the last."""
    clip_shape: tuple[int, ...] | None
    """`(T, h, w)` of every clip; None before the first."""
    shards: tuple[Shard, ...]
    """In order."""
    complete: bool
    """False while shards are still being written."""

    def save(self, folder: Path) -> None:
        """Replaces the index of a folder."""
        content = {
            "format": FORMAT,
            "complete": self.complete,
            "num_clips": sum(shard.num_clips for shard in self.shards),
            "clips_per_shard": self.clips_per_shard,
            "clip_shape": self.clip_shape,
            "meta": self.meta,
            "shards": [vars(shard) for shard in self.shards],
        }
        with replacing(folder / INDEX_FILE) as temporary:
            temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads the index of a folder.

        Raises:
            ValueError: If it is missing, damaged or of another format.
        """
        path = folder / INDEX_FILE
        if not path.is_file():
            raise ValueError(f"{folder} holds no token shards: {INDEX_FILE} is missing; write them with `write_shards`")
        try:
            content = parse_json(read_regular(path, _LARGEST_INDEX))
            if content["format"] != FORMAT:
                raise ValueError(f"format is {content['format']!r}, wanted {FORMAT}")
            shards = tuple(_checked(Shard(**shard)) for shard in content["shards"])
            shape = tuple(content["clip_shape"]) if content["clip_shape"] else None
            if not all(_is_count(number) for number in (content["clips_per_shard"], *(shape or ()))):
                raise ValueError(f"clips of {shape}, {content['clips_per_shard']} to a shard")
            if not isinstance(content["meta"], dict) or (shards and shape is None) or (content["complete"] and not shards):
                raise ValueError("no shards, or shards of nothing")
            return cls(content["meta"], content["clips_per_shard"], shape, shards, content["complete"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} cannot be read ({error!r}); delete the folder and write the shards again") from error


class ShardWriter:
    """Writes token shards, going on after the last whole shard where a folder was left unfinished.

    Use as a context manager: `with ShardWriter(folder, meta=meta) as writer: writer.add(clip)`; leaving it without an
    error writes the last shard and marks the folder complete. `num_clips` says how many clips are there already, so
    that the work for them can be skipped.

    Args:
        folder: Where the shards go; made if missing.
        meta: What the shards depend on, such as the tokenizer's hash, `codebook_size`, `frame_shape`; plain JSON.
        clips_per_shard: Clips in each shard but the last.

    Raises:
        ValueError: If the folder holds shards that were written with another `meta` or `clips_per_shard`.
    """

    def __init__(self, folder: str | Path, *, meta: dict[str, Any], clips_per_shard: int = 1024):
        if clips_per_shard < 1:
            raise ValueError(f"clips_per_shard is {clips_per_shard}; wanted at least 1; e.g. 1024")
        self.folder = Path(folder)
        self._clips: list[TokenClip] = []
        self._index = Index(_plain(meta), clips_per_shard, None, (), complete=False)
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / INDEX_FILE).exists():
            self._resume()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.close()

    @property
    def num_clips(self) -> int:
        """Clips written or waiting."""
        return sum(shard.num_clips for shard in self._index.shards) + len(self._clips)

    @property
    def complete(self) -> bool:
        """Whether the folder is finished."""
        return self._index.complete

    def add(self, clip: TokenClip) -> None:
        """Adds a clip; writes a shard when enough are there.

        Raises:
            ValueError: If the folder is complete, or the tokens are not int `[T, h, w]`, differ in shape from those
                before, or lie outside of the codebook.
        """
        if self.complete:
            raise ValueError(f"{self.folder} is complete with {self.num_clips} clips; write more into another folder")
        self._check(clip)
        self._clips.append(clip)
        if len(self._clips) == self._index.clips_per_shard:
            self._write()

    def close(self) -> None:
        """Writes the clips that wait and marks the folder complete.

        Raises:
            ValueError: If there is no clip at all.
        """
        if self.complete:
            return
        if self._clips:
            self._write()
        if not self._index.shards:
            raise ValueError(f"no clip was given to write into {self.folder}; wanted at least one")
        self._update(complete=True)

    def _resume(self) -> None:
        found = Index.load(self.folder)
        if (found.meta, found.clips_per_shard) != (self._index.meta, self._index.clips_per_shard):
            raise ValueError(
                f"{self.folder} holds shards of {found.clips_per_shard} clips with meta {found.meta}; now it is "
                f"{self._index.clips_per_shard} clips with meta {self._index.meta}; take another folder or delete this"
            )
        for shard in found.shards:
            _check_presence(self.folder, shard)
        self._index = found

    def _check(self, clip: TokenClip) -> None:
        tokens = clip.tokens
        if tokens.ndim != 3 or tokens.is_floating_point() or tokens.numel() == 0:
            raise ValueError(
                f"tokens of {clip.name!r} are {tokens.dtype} {list(tokens.shape)}; wanted int64 [T, h, w] of one clip"
            )
        shape = self._clips[0].tokens.shape if self._clips else self._index.clip_shape or tokens.shape
        if tokens.shape != shape:
            raise ValueError(
                f"tokens of {clip.name!r} are {list(tokens.shape)}, those before {list(shape)}; "
                "all clips of a folder have one shape; cut the clips to equal length and size"
            )
        low, high = int(tokens.min()), int(tokens.max())
        limit = self._index.meta.get("codebook_size", INT32_MAX)
        if low < 0 or high >= limit:
            raise ValueError(
                f"tokens of {clip.name!r} go from {low} to {high}; wanted 0 to {limit - 1}; see codebook_size in meta"
            )

    def _write(self) -> None:
        tokens = torch.stack([clip.tokens.cpu() for clip in self._clips])
        tokens = tokens.to(torch.int16 if int(tokens.max()) <= INT16_MAX else torch.int32)
        file = f"shard-{len(self._index.shards):05d}.safetensors"
        with replacing(self.folder / file) as temporary:
            save_file({"tokens": tokens}, temporary, metadata={"clips": _describe(self._clips)})
            shard = Shard(file, len(self._clips), temporary.stat().st_size, _hash(temporary))
        self._update(shards=(*self._index.shards, shard), clip_shape=tuple(tokens.shape[1:]))
        self._clips = []

    def _update(self, **changes: Any) -> None:
        self._index = replace(self._index, **changes)
        self._index.save(self.folder)


def write_shards(folder: str | Path, clips: Iterable[TokenClip], *, clips_per_shard: int = 1024, meta: dict[str, Any]) -> None:
    """Writes clips into token shards; after an interruption, call it again with the same clips to go on.

    Clips that are already written are drawn from `clips` and dropped; with `ShardWriter` they need not be made at all.

    Args:
        folder: Where the shards go; made if missing.
        clips: All of them of one shape.
        clips_per_shard: Clips in each shard but the last.
        meta: What the shards depend on; plain JSON values. If it has "codebook_size", tokens are checked against it.

    Raises:
        ValueError: As of `ShardWriter`.
    """
    with ShardWriter(folder, meta=meta, clips_per_shard=clips_per_shard) as writer:
        if not writer.complete:
            for clip in islice(clips, writer.num_clips, None):
                writer.add(clip)


class TokenShards(Dataset):
    """The clips of a folder of token shards; shards are memory-mapped, and checked against their hash when first used.

    Raises:
        ValueError: If the folder is no complete set of shards, or a shard is missing or damaged.
    """

    meta: dict[str, Any]
    """What the writer stated."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        index = Index.load(self.folder)
        if not index.complete:
            raise ValueError(
                f"{self.folder} is unfinished: {sum(shard.num_clips for shard in index.shards)} clips are written; "
                "run the writing again to complete it"
            )
        for shard in index.shards:
            _check_presence(self.folder, shard)
        self.meta, self.shards, self._clip_shape = index.meta, index.shards, index.clip_shape or ()
        self._ends = list(accumulate(shard.num_clips for shard in index.shards))
        self._open: dict[int, tuple[Any, list[dict]]] = {}

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> TokenClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)} in {self.folder}")
        index %= len(self)
        number = bisect_right(self._ends, index)
        row = index - (self._ends[number] - self.shards[number].num_clips)
        tokens, clips = self._shard(number)
        captions = tuple(Caption(start, text) for start, text in clips[row]["captions"])
        return TokenClip(tokens[row : row + 1][0].to(torch.int64), captions, clips[row]["name"])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # open files do not travel to worker processes

    def _shard(self, number: int) -> tuple[Any, list[dict]]:
        if number not in self._open:
            self._open[number] = _open_shard(self.folder, self.shards[number], self._clip_shape)
        return self._open[number]


def _open_shard(folder: Path, shard: Shard, clip_shape: tuple[int, ...]) -> tuple[Any, list[dict]]:
    """The lazily read tokens of a shard, and name and captions of each clip."""
    _check_presence(folder, shard)
    path = folder / shard.file
    if _hash(path) != shard.sha256:
        raise ValueError(f"{path} is damaged: its hash differs from {INDEX_FILE}; write the shards again")
    try:
        file = safe_open(path, framework="pt")
        tokens, clips = file.get_slice("tokens"), parse_json(file.metadata()["clips"])
        if tokens.get_shape() != [shard.num_clips, *clip_shape] or tokens.get_dtype() not in ("I16", "I32"):
            raise ValueError(f"{tokens.get_dtype()} {tokens.get_shape()}; wanted whole numbers {[shard.num_clips, *clip_shape]}")
        if len(clips) != shard.num_clips:
            raise ValueError(f"captions of {len(clips)} clips; wanted {shard.num_clips}")
        return tokens, [{"name": str(clip["name"]), "captions": _captions(clip["captions"])} for clip in clips]
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path} holds no token clips ({error}); write the shards again") from error


def _captions(rows: list[Any]) -> list[tuple[int, str]]:
    return [(int(start), str(text)) for start, text in rows]


def _checked(shard: Shard) -> Shard:
    if Path(str(shard.file)).name != shard.file:
        raise ValueError("a shard lies outside of the folder")
    if not (_is_count(shard.num_clips) and _is_count(shard.num_bytes) and isinstance(shard.sha256, str)):
        raise ValueError(f"the shard {shard.file} is not described")
    return shard


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 < value < INT32_MAX * INT32_MAX


def _check_presence(folder: Path, shard: Shard) -> None:
    path = folder / shard.file
    if not path.exists():
        raise ValueError(f"{path} is missing, though {INDEX_FILE} names it; copy it here or write the shards again")
    size = regular_size(path)
    if size != shard.num_bytes:
        raise ValueError(f"{path} is damaged: it has {size} bytes, wanted {shard.num_bytes}; write the shards again")


def _describe(clips: list[TokenClip]) -> str:
    rows = [{"name": clip.name, "captions": [[at.start, at.text] for at in clip.captions]} for clip in clips]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(meta: dict[str, Any]) -> dict[str, Any]:
    """The meta as JSON gives it back, so that it can be compared (tuples become lists)."""
    try:
        return json.loads(json.dumps(meta))
    except (TypeError, ValueError) as error:
        raise ValueError(f"meta cannot be kept as JSON ({error}); use only numbers, texts, lists and dicts") from error
