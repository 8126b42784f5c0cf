"""`RewardDataModule`: tokens as for the training of a video LM, with the clips that they were made of."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch.utils.data import DataLoader, Dataset

from ...data import CaptionedClip
from ...data.shards import TokenClip
from ..clip_data import Batch
from ..token_data import PromptCollate, TokenDataModule

_Item = tuple[TokenClip, CaptionedClip]


class TrueClips:
    """The clips of a batch; they stay where they are if the batch is moved."""

    def __init__(self, clips: Sequence[CaptionedClip]):
        self.clips = tuple(clips)

    def to(self, *_: Any, **__: Any) -> "TrueClips":
        """Itself."""
        return self


class RewardDataModule(TokenDataModule):
    """As `TokenDataModule`, but each batch has its clips under `clips`, which say what is to be shown and done.

    The tokenizer and its text tokenizer are those of the bundle that the training starts from. `batch_size` is the number of
    groups of a step and process. Single frames are not taken.
    """

    def prepare_data(self) -> None:
        """As of `TokenDataModule`; raises ValueError if there are stills, before any is made a token."""
        if "stills" in self._clips:
            raise ValueError("got stills for rewards, which are given for clips; wanted none; take `data.init_args.stills` out")
        super().prepare_data()

    def train_dataloader(self) -> DataLoader:
        return self.train_loader(_WithClips(self.train_tokens, self._clips["train"]), partial(_collate, self._collate))

    def val_dataloader(self) -> DataLoader:
        return self.val_loader(_WithClips(self.val_tokens, self._clips["val"]), partial(_collate, self._collate))


class _WithClips(Dataset[_Item]):
    def __init__(self, tokens: Any, clips: Any):
        self.tokens, self.clips = tokens, clips

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> _Item:
        return self.tokens[index], self.clips[index]


def _collate(collate: PromptCollate, items: list[_Item]) -> Batch:
    tokens, clips = zip(*items, strict=True)
    return {**collate(list(tokens)), "clips": TrueClips(clips)}
