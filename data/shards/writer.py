"""Clips into token shards."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import save_file

from ..actions import ActionSpace
from ..files import replacing
from .index import INDEX_FILE, INT32_MAX, Index, Shard, TokenClip, check_presence, file_hash
from .steps import stacked_steps

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
        action_space: What the actions of the clips are; None if no clip has any.

    Raises:
        ValueError: If the folder holds shards that were written with another `meta`, `clips_per_shard` or `action_space`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        meta: dict[str, Any],
        clips_per_shard: int = 1024,
        action_space: ActionSpace | None = None,
    ):
        if clips_per_shard < 1:
            raise ValueError(f"clips_per_shard is {clips_per_shard}; wanted at least 1; e.g. 1024")
        self.folder = Path(folder)
        self._clips: list[TokenClip] = []
        self._index = Index(_plain(meta), clips_per_shard, None, (), complete=False, action_space=action_space)
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
            ValueError: If the folder is complete; the tokens are not int `[T, h, w]`, differ in shape from those before, or
                lie outside of the codebook; or actions, rewards and ends are not those of the space and of each latent frame.
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
        if found.action_space != self._index.action_space:
            raise ValueError(
                f"{self.folder} holds shards of clips with {_named(found.action_space)}; now it is "
                f"{_named(self._index.action_space)}; take another folder or delete this"
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
        self._check_actions(clip)
        for what, values, dtype in (("rewards", clip.rewards, torch.float32), ("ends", clip.ends, torch.bool)):
            if values is not None and (values.dtype != dtype or values.shape != tokens.shape[:1]):
                raise ValueError(
                    f"{what} of {clip.name!r} are {values.dtype} {list(values.shape)}; wanted {dtype} [{len(tokens)}], one a "
                    "latent frame"
                )

    def _check_actions(self, clip: TokenClip) -> None:
        actions, space = clip.actions, self._index.action_space
        if actions is None:
            return
        if space is None:
            raise ValueError(f"{clip.name!r} has actions, and the shards have no action space; give `action_space`")
        frames = self._index.action_frames or actions.shape[1]
        wanted = (clip.tokens.shape[0], frames, space.size)
        if actions.dtype != torch.float32 or actions.shape != wanted:
            raise ValueError(
                f"actions of {clip.name!r} are {actions.dtype} {list(actions.shape)}; wanted float32 {list(wanted)}: latent "
                "frames, frames of each, numbers of an action"
            )
        self._index = replace(self._index, action_frames=frames)

    def _write(self) -> None:
        tokens = torch.stack([clip.tokens.cpu() for clip in self._clips])
        tokens = tokens.to(torch.int16 if int(tokens.max()) <= INT16_MAX else torch.int32)
        file = f"shard-{len(self._index.shards):05d}.safetensors"
        with replacing(self.folder / file) as temporary:
            tensors = {"tokens": tokens, **stacked_steps(self._clips)}
            save_file(tensors, temporary, metadata={"clips": _describe(self._clips)})
            shard = Shard(file, len(self._clips), temporary.stat().st_size, file_hash(temporary))
        self._update(shards=(*self._index.shards, shard), clip_shape=tuple(tokens.shape[1:]))
        self._clips = []

    def _update(self, **changes: Any) -> None:
        self._index = replace(self._index, **changes)
        self._index.save(self.folder)


def write_shards(
    folder: str | Path,
    clips: Iterable[TokenClip],
    *,
    clips_per_shard: int = 1024,
    meta: dict[str, Any],
    action_space: ActionSpace | None = None,
) -> None:
    """Writes clips into token shards; after an interruption, call it again with the same clips to go on.

    Clips that are already written are drawn from `clips` and dropped; with `ShardWriter` they need not be made at all.

    Args:
        folder: Where the shards go; made if missing.
        clips: All of them of one shape.
        clips_per_shard: Clips in each shard but the last.
        meta: What the shards depend on; plain JSON values. If it has "codebook_size", tokens are checked against it.
        action_space: What the actions of the clips are; None if no clip has any.

    Raises:
        ValueError: As of `ShardWriter`.
    """
    with ShardWriter(folder, meta=meta, clips_per_shard=clips_per_shard, action_space=action_space) as writer:
        if not writer.complete:
            for clip in islice(clips, writer.num_clips, None):
                writer.add(clip)


def _named(space: ActionSpace | None) -> str:
    return "no actions" if space is None else f"the actions {', '.join(space.names)}"


def _describe(clips: list[TokenClip]) -> str:
    rows = [{"name": clip.name, "captions": [[at.start, at.text] for at in clip.captions]} for clip in clips]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _plain(meta: dict[str, Any]) -> dict[str, Any]:
    """The meta as JSON gives it back, so that it can be compared (tuples become lists)."""
    try:
        return json.loads(json.dumps(meta))
    except (TypeError, ValueError) as error:
        raise ValueError(f"meta cannot be kept as JSON ({error}); use only numbers, texts, lists and dicts") from error
