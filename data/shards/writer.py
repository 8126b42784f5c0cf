"""Clips into token shards."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import save_file

from ..files import replacing
from .index import INDEX_FILE, INT32_MAX, Index, Shard, TokenClip, check_presence, file_hash

INT16_MAX = torch.iinfo(torch.int16).max


class ShardWriter:
    """Writes token shards, going on after the last whole shard if a folder was left unfinished.

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
            check_presence(self.folder, shard)
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
            shard = Shard(file, len(self._clips), temporary.stat().st_size, file_hash(temporary))
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


def _describe(clips: list[TokenClip]) -> str:
    rows = [{"name": clip.name, "captions": [[at.start, at.text] for at in clip.captions]} for clip in clips]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _plain(meta: dict[str, Any]) -> dict[str, Any]:
    """The meta as JSON gives it back, so that it can be compared (tuples become lists)."""
    try:
        return json.loads(json.dumps(meta))
    except (TypeError, ValueError) as error:
        raise ValueError(f"meta cannot be kept as JSON ({error}); use only numbers, texts, lists and dicts") from error
