"""`Samples`: what the video LM makes, at each validation: continuations of held-out clips, and clips of prompts."""

import time
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities import rank_zero_warn

from ..model import VideoLM
from ..sample import SamplingParams, UnseenWordsWarning, VideoGenerator
from ..sample.prompts import NO_CAPTION
from .checkpointing import is_stopping
from .continuing import HeldOut, Likeness, acted, continuations, given_latents, held_actions, likeness, prompted
from .ema import EMA
from .lm_module import LitVideoLM
from .looks import Column, Looker
from .pictures import log_video
from .progress import say
from .token_data import TokenDataModule

_SHOWN = 4  # continuations
_LONG = 0.2  # share of the training's time from which on a look is said to be long


class Samples(Looker):
    """Shows what the averaged weights make, always for the same clips, prompts and seeds; idle when no LM is trained.

    At each validation the model continues some held-out clips: the last second of each is made, and compared with what truly
    followed (`val/continuation_psnr`, in dB) and with the last given frame, repeated (`val/repeat_psnr`). It also makes clips of
    the first captions of the validation clips, or without a prompt if there are no captions. A world continues clips with what
    was truly done in them, and one of them while nothing, then each of the first buttons is held. TensorBoard shows all of them,
    and so do files in `samples/` under the folder of the run. A look takes a few seconds with the networks of the shipped
    configurations; if looks take more than a fifth of the time, a line says so.

    Args:
        every_n_validations: Validations from one look to the next, beginning with the first; 0 never looks.
        every_n_steps: Steps from one look to the next, whenever validations are; 0 never looks; None goes by validations.
        num_continuations: Held-out clips that are continued, of which the first four are shown; 0 continues none.
        num_prompts: Clips of prompts; 0 makes none.
        params: How tokens are chosen.
        num_held: Actions that are held in the clips of a world; 0 makes none of these clips.

    Raises:
        ValueError: A number is below 0.
    """

    def __init__(
        self,
        every_n_steps: int | None = None,
        num_prompts: int = 4,
        params: SamplingParams | None = None,
        every_n_validations: int = 1,
        num_continuations: int = 8,
        num_held: int = 4,
    ):
        numbers = {"every_n_steps": every_n_steps or 0, "num_prompts": num_prompts, "every_n_validations": every_n_validations}
        for name, number in {**numbers, "num_continuations": num_continuations, "num_held": num_held}.items():
            if number < 0:
                raise ValueError(f"got {name} {number}; wanted at least 0; 0 turns it off")
        self.every_n_steps, self.num_prompts, self.params = every_n_steps, num_prompts, params or SamplingParams()
        self.every_n_validations, self.num_continuations = every_n_validations, num_continuations
        self.num_held = num_held
        self._validations = 0
        self._last = time.monotonic()
        self._held_out: list[HeldOut] | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._last = time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        if isinstance(pl_module, LitVideoLM) and self.every_n_steps and trainer.global_step % self.every_n_steps == 0:
            ema = next(callback for callback in trainer.callbacks if isinstance(callback, EMA))
            with ema.averaged(pl_module):
                self._look(trainer, pl_module)
            pl_module.network.train()

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Here the network has the averaged weights."""
        if trainer.sanity_checking or not isinstance(pl_module, LitVideoLM) or trainer.state.fn != "fit":
            return
        self._validations += 1
        by_validations = self.every_n_steps is None and self.every_n_validations > 0
        if by_validations and (self._validations - 1) % self.every_n_validations == 0:
            self._look(trainer, pl_module)

    def _look(self, trainer: L.Trainer, module: LitVideoLM) -> None:
        """Process 0 looks, at all weights; the others wait for it at their next step."""
        since, started = self._last, time.monotonic()
        network = module.whole_network()
        if network is None or not trainer.is_global_zero:
            return
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore", UnseenWordsWarning)  # of captions that were held out
            self._show(trainer, module, network)
        self._last = time.monotonic()
        took = self._last - started
        if took > _LONG * (self._last - since) and took > 10:
            say(
                trainer,
                f"this look took {took:.0f} s; `--samples.every_n_validations 4` looks less often, and `--samples.num_prompts 0` "
                "makes no clips of prompts",
            )

    def _show(self, trainer: L.Trainer, module: LitVideoLM, network: VideoLM) -> None:
        source = module.data.source
        tokenizer = module.data.bundle.tokenizer.to(module.device)
        size = (source.height, source.width, source.fps)
        parts, space = (tokenizer, network, module.data.text_tokenizer), module.data.action_space
        generator = VideoGenerator(*parts, *size, action_space=space)
        say(trainer, f"step {trainer.global_step}: making samples ...", only_in_files=True)
        found = self._continue(trainer, module, generator)
        by_action = self._acted(trainer, module.data, generator)
        by_prompt = self._prompted(trainer, module.data, generator)
        groups = [group for group in (found[0] if found else (), by_action, by_prompt) if group]
        if groups and not is_stopping(trainer):
            path = self.keep(trainer, groups, source.fps)
            say(trainer, _line(trainer.global_step, found[1] if found else None, path))

    def _continue(
        self, trainer: L.Trainer, module: LitVideoLM, generator: VideoGenerator
    ) -> tuple[tuple[Column, Column], Likeness] | None:
        """True clips and their continuations; None if there are none to continue, or the run is to stop."""
        clips, stride = self._clips(module.data), generator.codec.stride
        made = continuations(generator, clips, self.params, lambda: is_stopping(trainer)) if clips else None
        if made is None:
            return None
        given = stride.num_frames(given_latents(clips[0], stride.frames))
        found = likeness(clips, made, given)
        for name, value in (("continuation", found.continuation), ("repeat", found.repeat)):
            module.log(f"val/{name}_psnr", value, batch_size=1, rank_zero_only=True)
        shown = clips[:_SHOWN]
        labels = [f"true: {held_out.clip.captions[0].text or held_out.clip.name}" for held_out in shown]
        true = Column("true", [held_out.clip.frames for held_out in shown], labels)
        ours = Column("continued", made[:_SHOWN], [f"continued from frame {given}"] * len(shown))
        pairs = torch.cat([torch.cat([a, b], dim=2) for a, b in zip(true.clips, ours.clips, strict=True)], dim=1)
        log_video(trainer, "continuations", pairs, generator.fps)
        return (true, ours), found

    def _acted(self, trainer: L.Trainer, data: TokenDataModule, generator: VideoGenerator) -> list[Column]:
        """A held-out clip, continued under one action after the other."""
        space, clips = generator.action_space, self._clips(data)
        if space is None or not self.num_held or not clips:
            return []
        held = held_actions(space, self.num_held)
        made = acted(generator, clips[0], held.values(), self.params, lambda: is_stopping(trainer))
        if made is None:
            return []
        for name, clip in zip(held, made, strict=True):
            log_video(trainer, f"actions/{name}", clip, generator.fps)
        return [Column("by action", made, [f"held: {name}" for name in held])]

    def _prompted(self, trainer: L.Trainer, data: TokenDataModule, generator: VideoGenerator) -> list[Column]:
        prompts = data.first_prompts(self.num_prompts)
        texts = prompts or [""] * min(1, self.num_prompts)
        if not texts:
            return []
        clips = prompted(generator, texts, data.source.num_frames, self.params, lambda: is_stopping(trainer))
        if clips is None:
            return []
        names = prompts or [NO_CAPTION]
        for name, clip in zip(names, clips, strict=True):
            log_video(trainer, f"samples/{name}", clip, generator.fps)
        return [Column("by prompt" if prompts else "by itself", clips, [f"prompt: {name}" for name in names])]

    def _clips(self, data: TokenDataModule) -> list[HeldOut]:
        """The held-out clips, read once."""
        if self._held_out is None:
            try:
                self._held_out = data.held_out(self.num_continuations)
            except (OSError, ValueError) as error:
                rank_zero_warn(f"held-out clips cannot be read ({error}); no continuations are made")
                self._held_out = []
        return self._held_out


def _line(step: int, found: Likeness | None, path: Path) -> str:
    return f"step {step}: {f'{found}; ' if found else ''}see {path}"
