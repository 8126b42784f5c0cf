"""`Samples`: what the video LM makes of a few prompts, as moving pictures in TensorBoard."""

from typing import Any

import lightning as L

from ..sample import SamplingParams, VideoGenerator
from .ema import EMA
from .lm_module import LitVideoLM
from .pictures import log_video
from .token_data import NO_CAPTION, TokenDataModule, captions


class Samples(L.Callback):
    """Generates a few clips with the averaged weights, always for the same prompts and seeds; idle when no LM is trained.

    The prompts are the first captions of the validation clips.

    Args:
        every_n_steps: Steps from one look to the next; 0 never looks.
        num_prompts: How many clips.
        params: How tokens are chosen.
    """

    def __init__(self, every_n_steps: int = 1000, num_prompts: int = 4, params: SamplingParams | None = None):
        self.every_n_steps, self.num_prompts, self.params = every_n_steps, num_prompts, params

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not isinstance(pl_module, LitVideoLM) or not self.every_n_steps or not trainer.is_global_zero:
            return
        if trainer.global_step % self.every_n_steps == 0:
            ema = next(callback for callback in trainer.callbacks if isinstance(callback, EMA))
            with ema.averaged(pl_module):
                self._show(trainer, pl_module)
            pl_module.network.train()

    def _show(self, trainer: L.Trainer, module: LitVideoLM) -> None:
        data = module.data
        size = (data.source.height, data.source.width, data.source.fps)
        tokenizer = data.bundle.tokenizer.to(module.device)
        generator = VideoGenerator(tokenizer, module.network, data.text_tokenizer, *size)
        for seed, prompt in enumerate(first_prompts(data, self.num_prompts)):
            clip = generator.generate([(0.0, prompt)], data.source.num_frames, seed, self.params)  # as it is, ";" and all
            log_video(trainer, f"samples/{prompt}", clip.frames, clip.fps)


def first_prompts(data: TokenDataModule, num_prompts: int) -> list[str]:
    """Different prompts from the validation clips, in their order."""
    texts = [text for text in dict.fromkeys(captions(data.val_tokens)) if text]
    return texts[:num_prompts] or [NO_CAPTION]
