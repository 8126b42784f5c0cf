"""Clips out of token shards."""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch.utils.data import Dataset

from ..clips import Caption
from ..reading import parse_json
from .index import INDEX_FILE, Index, Shard, TokenClip, check_presence, file_hash


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
            check_presence(self.folder, shard)
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
    check_presence(folder, shard)
    path = folder / shard.file
    if file_hash(path) != shard.sha256:
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
