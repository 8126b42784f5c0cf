"""`ClipDataModule`: any clip source as the training and validation data of Lightning."""

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from ..data.actions import ActionSpace
from ..data.clips import CaptionedClip, ClipSource, to_video
from ..data.loading import WatchedLoader
from ..data.sampler import ResumableSampler

Batch = dict[str, Any]


class ResumableDataModule(L.LightningDataModule):
    """Endless, exactly resumable training batches and a fixed validation set; subclasses say of what.

    Args:
        source: Where the clips come from.
        batch_size: Items per step and process.
        num_workers: Processes that prepare batches beside the training; 0 prepares them in it.
        seed: Chooses the order of the items.

    Raises:
        ValueError: If `batch_size` is not positive.
    """

    def __init__(self, source: ClipSource, batch_size: int, num_workers: int, seed: int):
        super().__init__()
        self.source = source
        if batch_size < 1:
            raise ValueError(f"got batch_size {batch_size}; wanted at least 1")
        self.batch_size, self.num_workers, self.seed = batch_size, num_workers, seed
        self._position = 0
        self._sampler: ResumableSampler | None = None

    @property
    def action_space(self) -> ActionSpace | None:
        """What the actions in the batches are; None if the source has none."""
        return self.source.action_space

    @cached_property
    def fingerprint(self) -> str:
        """Tells these training data from others, wherever they lie; known once they are set up."""
        text = json.dumps([self.source.fingerprint(), self.seed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def amounts(self) -> dict[str, Any]:
        """How much is trained on: `clips`, `seconds` of video, and what else there is to count; plain values."""
        return amount_of(self.source, len(self.source))

    @property
    def caption(self) -> str:
        """What all clips show that are trained on, if one text says it of all that have one; "" otherwise."""
        return ""

    def prepare_data(self) -> None:
        """Says where the clips come from, and which files are left out."""
        print(f"source: {self.source.summary()}", flush=True)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Counts what the training uses: workers fetch ahead, so the sampler cannot know."""
        if self.trainer is not None and self.trainer.training:
            self._position += self.batch_size * self.trainer.world_size
            if self._sampler is not None:
                self._sampler.position = self._position  # where the next epoch begins
        return batch

    def state_dict(self) -> dict[str, Any]:
        """The items used up so far, over all processes, and what they were; plain values."""
        return {"position": self._position, "fingerprint": self.fingerprint, "items_per_step": self._items_per_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on after the items that were used up.

        Raises:
            ValueError: They were others, or so many more or fewer a step that the order would not be the same.
        """
        advice = (
            "to train on from its weights otherwise, `framecast export` it and name the bundle in `model.init_args.init_from`"
        )
        if state_dict.get("fingerprint", self.fingerprint) != self.fingerprint:
            raise ValueError(
                "got a checkpoint that was trained on other clips or captions than those of the configuration, which is now "
                f"{self.source.summary()}; wanted the same; put the data back as they were, or, {advice}"
            )
        had, wanted = state_dict.get("items_per_step", self._items_per_step), self._items_per_step
        if had != wanted:
            raise ValueError(
                f"got a checkpoint of a run with {had} clips a step, and {wanted} now; wanted as many, or the run would not go "
                f"on where it was; set `data.init_args.batch_size` and the processes as before, or, {advice}"
            )
        position = state_dict["position"]
        if not isinstance(position, int) or position < 0:
            raise ValueError(f"got position {position!r} in the data; wanted a count; take another checkpoint")
        self._position = position

    @property
    def _items_per_step(self) -> int:
        assert self.trainer is not None
        return self.batch_size * self.trainer.world_size * self.trainer.accumulate_grad_batches

    def train_loader(self, dataset: Dataset, collate: Callable) -> DataLoader:
        """Training batches without end, from where the last run stood."""
        assert self.trainer is not None
        sampler = ResumableSampler(len(dataset), self.seed, self.trainer.global_rank, self.trainer.world_size)  # type: ignore[arg-type]
        sampler.position = self._position
        self._sampler = sampler
        return self._loader(dataset, collate, sampler)

    def val_loader(self, dataset: Dataset, collate: Callable) -> DataLoader:
        """Every validation item once, in order."""
        return self._loader(dataset, collate, None)

    def _loader(self, dataset: Dataset, collate: Callable, sampler: ResumableSampler | None) -> DataLoader:
        return WatchedLoader(
            dataset,
            self.batch_size,
            collate,
            self.num_workers,
            sampler=sampler,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator().manual_seed(self.seed),
        )


class ClipDataModule(ResumableDataModule):
    """Clips of a source as video, for the training of a tokenizer.

    Args:
        source: Where the training clips come from.
        val_source: Where the validation clips come from; None keeps `val_clips` of `source` for them.
        val_clips: How many clips are validated, at most.
        batch_size: Clips per step and process.
        num_workers: Processes that prepare clips beside the training; 0 prepares them in it.
        seed: Chooses the order of the clips.

    Raises:
        ValueError: If `source` is too small to spare `val_clips`, or the two sources differ in their shape.
    """

    def __init__(
        self,
        source: ClipSource,
        val_source: ClipSource | None = None,
        val_clips: int = 32,
        batch_size: int = 8,
        num_workers: int = 1,
        seed: int = 0,
    ):
        super().__init__(source, batch_size, num_workers, seed)
        self.train_clips, self.val_clips = split_source(source, val_source, val_clips)

    @property
    def amounts(self) -> dict[str, Any]:
        return amount_of(self.source, len(self.train_clips))  # type: ignore[arg-type]

    def train_dataloader(self) -> DataLoader:
        return self.train_loader(self.train_clips, collate_clips)

    def val_dataloader(self) -> DataLoader:
        return self.val_loader(self.val_clips, collate_clips)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Adds `video` float32 `[B, 3, T, H, W]` in [-1, 1], made where the training runs: bytes travel faster."""
        batch = super().on_after_batch_transfer(batch, dataloader_idx)
        return {**batch, "video": to_video(batch["frames"])}


def collate_clips(clips: list[CaptionedClip]) -> Batch:
    """A batch of clips: `frames` uint8 `[B, T, H, W, 3]`, and their `names`.

    If any of them has some, there are `actions` float32 `[B, T, A]` too, NaN where unknown.
    """
    batch = {"frames": torch.stack([clip.frames for clip in clips]), "names": [clip.name for clip in clips]}
    actions = stack_known([clip.actions for clip in clips])
    return batch if actions is None else {**batch, "actions": actions}


def stack_known(rows: list[Tensor | None]) -> Tensor | None:
    """What is known of each clip, as one float32 tensor with NaN for the others; None if nothing is known of any."""
    known = next((row for row in rows if row is not None), None)
    if known is None:
        return None
    unknown = torch.full(known.shape, torch.nan)
    return torch.stack([unknown if row is None else row.float() for row in rows])


def amount_of(source: ClipSource, num_clips: int) -> dict[str, Any]:
    """How many of the clips of a source are trained on, and the seconds of video in them."""
    return {"clips": num_clips, "seconds": round(source.seconds_of_video * num_clips / len(source), 1)}


def split_source(source: ClipSource, val_source: ClipSource | None, val_clips: int) -> tuple[Dataset, Dataset]:
    """Training and validation clips that share none.

    Raises:
        ValueError: If `source` is too small to spare `val_clips`, or the two sources differ in their shape.
    """
    if val_source is not None:
        _check_same_shape(source, val_source)
        return source, Subset(val_source, range(min(val_clips, len(val_source))))
    num_train = len(source) - val_clips
    if num_train < 1:
        raise ValueError(
            f"got a source of {len(source)} clips; wanted more than the {val_clips} kept for validation; "
            "give more clips, lower `val_clips`, or name a `val_source`"
        )
    return Subset(source, range(num_train)), Subset(source, range(num_train, len(source)))


def _check_same_shape(source: ClipSource, val_source: ClipSource) -> None:
    shapes = [(s.num_frames, s.height, s.width, s.fps) for s in (source, val_source)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"training and validation clips differ: (num_frames, height, width, fps) is {shapes[0]} and {shapes[1]}; "
            "give both sources the same values"
        )
    if val_source.action_space not in (None, source.action_space):
        raise ValueError(
            f"got validation clips with {val_source.action_space} and training clips with {source.action_space or 'no actions'}; "
            "wanted one action space; give both sources the same `action_space`"
        )
