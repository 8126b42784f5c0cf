"""Values that are not finite: in batches, in the loss, in gradients, in latents."""

from typing import Any

import lightning as L
import torch

from framecast.data import SpriteWorld
from framecast.train import ClipDataModule, LitVideoTokenizer

from .notes import note_clip


class SpoiltBatches(ClipDataModule):
    """From a step on, one value in some batches is not finite; it is in the second clip.

    Args:
        value: That value.
        first: The first batch that is spoilt.
        count: How many are.
        options: As of `ClipDataModule`.
    """

    def __init__(
        self, source: SpriteWorld, value: float, first: int = 2, count: int = 1, val_clips: int = 4, batch_size: int = 2
    ):
        super().__init__(source, None, val_clips, batch_size, 0)
        self._value, self._left = value, range(first, first + count)
        self._number = 0

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        batch = super().on_after_batch_transfer(batch, dataloader_idx)
        if self.trainer is not None and self.trainer.training:
            if self._number in self._left:
                note_clip(self.trainer, batch["names"][1])
                batch["video"][1, 0, 2, 3, 4] = self._value
            self._number += 1
        return batch


class SpoiltLoss(LitVideoTokenizer):
    """The loss of one step is not finite."""

    value = float("nan")

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Any:
        output = super().training_step(batch, batch_idx)
        if batch_idx == 2:
            note_clip(self.trainer, "")
            output["loss"] = output["loss"] * self.value
        return output


class InfiniteLoss(SpoiltLoss):
    """The loss of one step is infinite."""

    value = float("inf")


class SpoiltGradient(L.Callback):
    """One value of one gradient is not finite, after one backward pass."""

    def __init__(self, value: float):
        self.value = value

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step == 2:
            note_clip(trainer, "")
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            gradients[0].view(-1)[0] = self.value


class SpoiltLatents(L.Callback):
    """One value of the latents of the second clip of one step is not finite."""

    def __init__(self, value: float):
        self.value = value

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx != 2:
            return
        assert isinstance(pl_module, LitVideoTokenizer), pl_module
        note_clip(trainer, batch["names"][1])

        def spoil(_: torch.nn.Module, latents: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            spoilt = latents[0].clone()
            spoilt[1].view(-1)[0] = self.value
            handle.remove()
            return (spoilt, *latents[1:])

        handle = pl_module.tokenizer.quantizer.register_forward_pre_hook(spoil)
