"""`Reconstructions`: what the tokenizer makes of a few clips, as moving pictures in TensorBoard and in files."""

from typing import Any

import lightning as L
from einops import rearrange
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import Tensor

from ..data import to_frames
from ..data.images import encode_apng
from .clip_data import ResumableDataModule
from .looks import Column, Looker
from .progress import say
from .tokenizer_module import LitVideoTokenizer


class Reconstructions(Looker):
    """Shows the first validation clips beside their reconstructions; idle when no tokenizer is trained.

    TensorBoard shows them, and so do files in `samples/` under the folder of the run. A line says how good all validation clips
    are, and how good one colour for each token would be, which any tokenizer should exceed.

    Args:
        num_clips: How many clips.
        every_n_validations: Validations from one look to the next, beginning with the first; 0 never looks.

    Raises:
        ValueError: A number is out of range.
    """

    def __init__(self, num_clips: int = 4, every_n_validations: int = 1):
        if num_clips < 1 or every_n_validations < 0:
            raise ValueError(f"got num_clips {num_clips}, every_n_validations {every_n_validations}; wanted at least 1 and 0")
        self.num_clips, self.every_n_validations = num_clips, every_n_validations
        self._validations = 0

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
        self._validations += 1
        if self.every_n_validations and (self._validations - 1) % self.every_n_validations == 0:
            self._look(trainer, pl_module, batch["video"][: self.num_clips], batch.get("names"))

    def _look(self, trainer: L.Trainer, module: LitVideoTokenizer, video: Tensor, names: list[str] | None) -> None:
        made = module.tokenizer(video).video.clamp(-1, 1).to(video)
        if not trainer.is_global_zero:
            return
        fps = _fps(trainer)
        log_video(trainer, "reconstructions", to_frames(rearrange([video, made], "n b c t h w -> c t (n h) (b w)")), fps)
        labels = names or [f"clip {number}" for number in range(len(video))]
        true = Column("true", list(to_frames(video)), [f"true: {name}" for name in labels[: len(video)]])
        ours = Column("decoded", list(to_frames(made)), ["from its tokens"] * len(video))
        self.keep(trainer, [[true, ours]], fps)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        metrics = trainer.callback_metrics
        if trainer.sanity_checking or "val/one_colour_psnr" not in metrics:
            return
        found, least = float(metrics["val/psnr"]), float(metrics["val/one_colour_psnr"])
        figures = f"reconstructs held-out video with {found:.1f} dB; one colour a token has {least:.1f}"
        say(trainer, f"step {trainer.global_step}: {figures}; see {self.path_of(trainer)}")


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
