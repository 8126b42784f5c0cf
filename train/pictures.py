"""`Reconstructions`: what the tokenizer makes of a few clips, as moving pictures in TensorBoard."""

from typing import Any

import lightning as L
import torch
from einops import rearrange
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor

from ..data import to_frames
from ..data.images import encode_apng
from .clip_data import ResumableDataModule
from .tokenizer_module import LitVideoTokenizer


class Reconstructions(L.Callback):
    """Shows the first validation clips above their reconstructions; idle when no tokenizer is trained.

    Args:
        num_clips: How many clips.
    """

    def __init__(self, num_clips: int = 4):
        self.num_clips = num_clips

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch_idx or trainer.sanity_checking or not isinstance(pl_module, LitVideoTokenizer):
            return
        video = batch["video"][: self.num_clips]
        pairs = torch.stack([video, pl_module.tokenizer(video).video.clamp(-1, 1).to(video)])
        frames = to_frames(rearrange(pairs, "n b c t h w -> c t (n h) (b w)"))
        log_video(trainer, "reconstructions", frames, _fps(trainer))


def log_video(trainer: L.Trainer, name: str, frames: Tensor, fps: float) -> None:
    """Writes uint8 `frames` `[T, H, W, 3]` as a moving picture (APNG) to every TensorBoard logger of `trainer`."""
    if not trainer.is_global_zero:
        return
    height, width = frames.shape[1:3]
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=encode_apng(frames, fps))
    summary = Summary(value=[Summary.Value(tag=name, image=image)])
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.file_writer.add_summary(summary, trainer.global_step)


def _fps(trainer: L.Trainer) -> float:
    assert isinstance(trainer.datamodule, ResumableDataModule), trainer.datamodule
    return trainer.datamodule.source.fps
