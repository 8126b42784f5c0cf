"""Clips out of token shards."""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch.utils.data import Dataset

from ..actions import ActionSpace
from ..clips import Caption
from ..reading import parse_json
from .index import INDEX_FILE, Index, Shard, TokenClip, check_presence, file_hash
from .steps import known_steps, step_shapes

_DTYPES = {"tokens": ("I16", "I32"), "actions": ("F32",), "rewards": ("F32",), "ends": ("I8",)}


class TokenShards(Dataset):
    """The clips of a folder of token shards; shards are memory-mapped, and checked against their hash when first used.

    Raises:
        ValueError: If the folder is no complete set of shards, or a shard is missing or damaged.
    """

    meta: dict[str, Any]
    """What the writer stated."""
    action_space: ActionSpace | None
    """What the actions of the clips are; None if no clip has any."""

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
        self.meta, self.shards, self.action_space = index.meta, index.shards, index.action_space
        self._shapes = {"tokens": index.clip_shape or ()}
        self._shapes |= step_shapes((index.clip_shape or (0,))[0], index.action_space, index.action_frames)
        self._ends = list(accumulate(shard.num_clips for shard in index.shards))
        self._open: dict[int, tuple[dict[str, Any], list[dict]]] = {}

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> TokenClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)} in {self.folder}")
        index %= len(self)
        number = bisect_right(self._ends, index)
        row = index - (self._ends[number] - self.shards[number].num_clips)
        tensors, clips = self._shard(number)
        captions = tuple(Caption(start, text) for start, text in clips[row]["captions"])
        rows = {name: tensor[row : row + 1][0] for name, tensor in tensors.items()}
        return TokenClip(rows.pop("tokens").to(torch.int64), captions, clips[row]["name"], **known_steps(rows))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # open files do not travel to worker processes

    def _shard(self, number: int) -> tuple[dict[str, Any], list[dict]]:
        if number not in self._open:
            self._open[number] = _open_shard(self.folder, self.shards[number], self._shapes)
        return self._open[number]


def _open_shard(folder: Path, shard: Shard, shapes: dict[str, tuple[int, ...]]) -> tuple[dict[str, Any], list[dict]]:
    """The lazily read tensors of a shard, and name and captions of each clip."""
    check_presence(folder, shard)
    path = folder / shard.file
    if file_hash(path) != shard.sha256:
        raise ValueError(f"{path} is damaged: its hash differs from {INDEX_FILE}; write the shards again")
    try:
        file = safe_open(path, framework="pt")
        clips = parse_json(file.metadata()["clips"])
        there = set(file.keys())
        tensors = {name: file.get_slice(name) for name in shapes if name == "tokens" or name in there}
        for name, tensor in tensors.items():
            wanted = [shard.num_clips, *shapes[name]]
            if tensor.get_shape() != wanted or tensor.get_dtype() not in _DTYPES[name]:
                got = f"{name} {tensor.get_dtype()} {tensor.get_shape()}"
                raise ValueError(f"{got}; wanted {' or '.join(_DTYPES[name])} {wanted}")
        if len(clips) != shard.num_clips:
            raise ValueError(f"captions of {len(clips)} clips; wanted {shard.num_clips}")
        return tensors, [{"name": str(clip["name"]), "captions": _captions(clip["captions"])} for clip in clips]
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path} holds no token clips ({error}); write the shards again") from error


def _captions(rows: list[Any]) -> list[tuple[int, str]]:
    return [(int(start), str(text)) for start, text in rows]
