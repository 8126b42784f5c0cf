"""Clips to token shards, once: what a video LM trains from."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from ..data import ActionSpace, CaptionedClip, to_video
from ..data.loading import WatchedLoader
from ..data.shards import INDEX_FILE, Index, ShardWriter, TokenClip
from ..data.timeline import latent_captions
from ..progress import tracked
from ..stride import Stride
from ..tokenizer import VideoTokenizer

_BATCH_SIZE = 8


def write_tokens(
    folder: Path,
    clips: Dataset,
    tokenizer: VideoTokenizer,
    meta: dict[str, Any],
    num_workers: int = 0,
    action_space: ActionSpace | None = None,
) -> None:
    """Tokenizes clips into shards with its progress shown; goes on where it was interrupted, does nothing if it is done.

    Actions, rewards and ends of the clips come along, latent frame by latent frame.

    Args:
        folder: Where the shards go; made if missing.
        clips: Gives a `CaptionedClip` for each index; all of one shape.
        tokenizer: The work is done where its weights are.
        meta: What the tokens depend on; plain JSON values.
        num_workers: Processes that prepare clips beside the tokenizing; 0 prepares them in it.
        action_space: What the actions of the clips are; None if they have none.

    Raises:
        ValueError: If the folder holds the tokens of something else, or the clips do not fit the tokenizer.
    """
    with ShardWriter(folder, meta=meta, action_space=action_space) as writer:
        if writer.complete:
            return
        rest = range(writer.num_clips, len(clips))  # type: ignore[arg-type]
        tokens = _tokenize(Subset(clips, rest), tokenizer, num_workers)
        for clip in tracked(tokens, f"tokenizing into {folder}", len(rest), "clips"):
            writer.add(clip)


def drop_stale_tokens(folder: Path, meta: dict[str, Any]) -> None:
    """Removes tokens that were made of something else than `meta` says, and says what has changed."""
    if not (folder / INDEX_FILE).is_file():
        return
    had, wanted = Index.load(folder).meta, json.loads(json.dumps(meta))
    if had == wanted:
        return
    changed = ", ".join(_differences(had, wanted))
    print(f"tokens in {folder} are made anew, since what they were made of has changed: {changed}", file=sys.stderr, flush=True)
    shutil.rmtree(folder)


def _differences(had: Any, wanted: Any, name: str = "") -> Iterator[str]:
    """The names of the values that differ, those of values within others after a dot."""
    if isinstance(had, dict) and isinstance(wanted, dict):
        for key in sorted({*had, *wanted}):
            yield from _differences(had.get(key), wanted.get(key), f"{name}.{key}" if name else key)
    elif had != wanted:
        yield name


@torch.inference_mode()
def _tokenize(clips: Dataset, tokenizer: VideoTokenizer, num_workers: int) -> Iterator[TokenClip]:
    device = next(tokenizer.parameters()).device
    for batch in WatchedLoader(clips, _BATCH_SIZE, list, num_workers):
        tokens = tokenizer.encode(to_video(torch.stack([clip.frames for clip in batch])).to(device)).cpu()
        for clip, its_tokens in zip(batch, tokens, strict=True):
            yield _token_clip(clip, its_tokens, tokenizer.stride)


def _token_clip(clip: CaptionedClip, tokens: Tensor, stride: Stride) -> TokenClip:
    actions = None if clip.actions is None else stride.group(clip.actions)
    rewards = None if clip.rewards is None else _by_latent_frame(clip.rewards, stride).sum(1)
    ends = None if clip.ends is None else _by_latent_frame(clip.ends, stride).any(1)
    return TokenClip(tokens, latent_captions(clip.captions, stride), clip.name, actions, rewards, ends)


def _by_latent_frame(rows: Tensor, stride: Stride) -> Tensor:
    """Numbers or truth values of frames `[T]` as those of latent frames `[1 + k, frames]`; the first frame is not repeated."""
    padded = torch.cat([rows.new_zeros(stride.frames - 1), rows])
    return padded.unflatten(0, (-1, stride.frames))
