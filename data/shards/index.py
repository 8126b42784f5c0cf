"""The index of a folder of token shards, and what lies in it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ..actions import ActionSpace
from ..clips import Caption
from ..files import replacing
from ..reading import parse_json, read_regular, regular_size

FORMAT = 1
INDEX_FILE = "index.json"
_LARGEST_INDEX = 2**26
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
    actions: Tensor | None = None
    """float32 `[T, stride, A]`: those of the frames of each latent frame; NaN is unknown; None if none is known."""
    rewards: Tensor | None = None
    """float32 `[T]`: the sum over the frames of each latent frame; NaN is unknown; None if none is known."""
    ends: Tensor | None = None
    """bool `[T]`: whether the episode was over with any of the frames; None if that is not known."""


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
    """All shards, in order."""
    complete: bool
    """False while shards are still being written."""
    action_space: ActionSpace | None = None
    """What the actions are; None if no clip has any."""
    action_frames: int = 0
    """Actions of a latent frame, the stride of the tokenizer; 0 before the first clip with actions."""

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
        if self.action_space is not None:
            content |= {"action_space": self.action_space.to_json(), "action_frames": self.action_frames}
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
            space = ActionSpace.from_json(content["action_space"]) if "action_space" in content else None
            frames = content.get("action_frames", 0)
            if not _is_count(frames) and frames != 0:
                raise ValueError(f"{frames!r} actions of a latent frame")
            return cls(content["meta"], content["clips_per_shard"], shape, shards, content["complete"], space, frames)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} cannot be read ({error!r}); delete the folder and write the shards again") from error


def check_presence(folder: Path, shard: Shard) -> None:
    """Raises ValueError unless the file of a shard is there with the size that the index says."""
    path = folder / shard.file
    if not path.exists():
        raise ValueError(f"{path} is missing, though {INDEX_FILE} names it; copy it here or write the shards again")
    size = regular_size(path)
    if size != shard.num_bytes:
        raise ValueError(f"{path} is damaged: it has {size} bytes, wanted {shard.num_bytes}; write the shards again")


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(shard: Shard) -> Shard:
    if Path(str(shard.file)).name != shard.file:
        raise ValueError("a shard lies outside of the folder")
    if not (_is_count(shard.num_clips) and _is_count(shard.num_bytes) and isinstance(shard.sha256, str)):
        raise ValueError(f"the shard {shard.file} is not described")
    return shard


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 < value < INT32_MAX * INT32_MAX
