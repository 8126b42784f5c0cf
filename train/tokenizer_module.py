"""`LitVideoTokenizer`: trains a `VideoTokenizer` to reconstruct what it sees."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Self, cast

import torch
from einops import rearrange, reduce, repeat
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor

from ..evaluate import psnr
from ..evaluate.steadiness import steady_share
from ..sample import Bundle, load_bundle
from ..tokenizer import (
    FSQ,
    Quantized,
    Quantizer,
    TokenizerOutput,
    VideoTokenizer,
    VideoTokenizerConfig,
    share_codebooks,
)
from ..tokenizer.layers import Upsample
from .discriminator import PatchDiscriminator
from .losses import ReconstructionLoss, adaptive_weight, hinge_loss
from .module import TrainingModule
from .optim import AdamWConfig
from .perceptual import load_perceptual
from .perturbation import Perturbation, replaced
from .steadiness import Steadiness

_TOKENIZER, _LOSS, _OPTIMIZER = VideoTokenizerConfig(), ReconstructionLoss(), AdamWConfig()
_PERTURBATION, _STEADINESS = Perturbation(), Steadiness()


class LitVideoTokenizer(TrainingModule):
    """Trains a video tokenizer: reconstruction, quantizer loss, and optional perceptual and late adversarial terms.

    Args:
        tokenizer: Shape of the network.
        quantizer: Turns latents into tokens; choose by `class_path`, such as `framecast.tokenizer.VQ`; None is FSQ.
        loss: Weights of the reconstruction loss.
        optimizer: AdamW and its schedule.
        perceptual_weights: Safetensors file of the weights of LPIPS, with VGG16 or AlexNet; None leaves the term out. Nothing is
            downloaded; docs/training.md says how to make the file.
        perceptual: Weight of the perceptual term.
        adversarial_start: Step from which a discriminator joins in; None leaves it out.
        adversarial: Weight of the adversarial term, on top of the adaptive one.
        perturbation: Whether some tokens are replaced by near ones late in the training. `val/psnr_perturbed` then says what is
            left if that share of them is.
        steadiness: Whether clips are seen through noise and are to have the tokens that they have without it. `val/steady_share`
            then says how many tokens of a still, noisy scene repeat.
        init_from: Folder of a bundle whose tokenizer's weights to start from; its network and quantizer must be the same; None
            starts from random weights.
        decoder_only: Whether encoder and quantizer stay as they are, so that all tokens do, and a video LM of them stays valid.

    Raises:
        ValueError: If the perceptual weights are no such file, the tokenizer to start from is another one, or there is none but
            only a decoder is to be trained.
    """

    what, unit = "video tokenizer", "frames"

    def __init__(
        self,
        tokenizer: VideoTokenizerConfig = _TOKENIZER,
        quantizer: Quantizer | None = None,
        loss: ReconstructionLoss = _LOSS,
        optimizer: AdamWConfig = _OPTIMIZER,
        perceptual_weights: str | None = None,
        perceptual: float = 0.1,
        adversarial_start: int | None = None,
        adversarial: float = 0.1,
        init_from: str | None = None,
        perturbation: Perturbation = _PERTURBATION,
        decoder_only: bool = False,
        steadiness: Steadiness = _STEADINESS,
    ):
        super().__init__(optimizer)
        if decoder_only and init_from is None:
            raise ValueError("got decoder_only and no init_from; wanted the bundle whose tokens are to stay as they are")
        self.perturbation, self.steadiness, self.decoder_only = perturbation, steadiness, decoder_only
        self.tokenizer = VideoTokenizer(tokenizer, quantizer or FSQ())
        if init_from is not None:
            start_from(self.tokenizer, load_bundle(init_from))
        self.loss = loss
        self.perceptual, self.adversarial = perceptual, adversarial
        self.adversarial_start = adversarial_start
        self.discriminator = None if adversarial_start is None else PatchDiscriminator()
        self._perceptual = () if perceptual_weights is None else (load_perceptual(perceptual_weights),)
        if decoder_only:
            self.tokenizer.requires_grad_(False).decoder.requires_grad_(True)
            self.train()

    def train(self, mode: bool = True) -> Self:
        """As of any module; a quantizer that stays as it is does not learn from what it sees, either."""
        super().train(mode)
        if self.decoder_only:
            self.tokenizer.quantizer.eval()
        return self

    @property
    def network(self) -> VideoTokenizer:
        return self.tokenizer

    def bundle(self, network: VideoTokenizer | None = None) -> dict[str, Any]:
        return {"tokenizer": network or self.tokenizer}

    def count(self, batch: dict[str, Any]) -> int:
        return batch["video"].shape[0] * batch["video"].shape[2]

    def setup(self, stage: str) -> None:
        """Tells DDP that the discriminator takes no part before it joins in, or it would wait for its gradients."""
        strategy = self.trainer.strategy
        if self.discriminator is not None and isinstance(strategy, DDPStrategy):
            strategy._ddp_kwargs["find_unused_parameters"] = True

    def on_fit_start(self) -> None:
        super().on_fit_start()
        if self.trainer.world_size > 1:
            share_codebooks(self.tokenizer.quantizer)
        for module in self._perceptual:  # not a submodule, so that checkpoints stay small
            module.to(self.device)

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Tensor]:
        """One step; `tokens` `[B, T, H, W]` are for the codebook's health."""
        video = batch["video"].nan_to_num(0.0, 0.0, 0.0)
        steady = self.steadiness.weight > 0
        output = self.tokenizer(self.steadiness.through_noise(video) if steady else video, self._disturb())
        loss, terms = self._reconstruction_terms(output, video)
        if steady:
            terms["unsteadiness"] = self.steadiness.loss(output.quantized, self.tokenizer, video)
            loss = loss + self.steadiness.weight * terms["unsteadiness"]
        self.suspects = _unsound_clips(batch, output.video)
        if self.suspects:
            loss = loss * float("nan")  # so that the step changes nothing
        if self.discriminator is not None and self.global_step >= (self.adversarial_start or 0):
            loss, terms = self._add_adversarial_terms(loss, terms, output.video.float(), video)
        terms["psnr"] = psnr(output.video.detach(), video).mean()
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        self.log("loss", loss.detach(), prog_bar=True, logger=False)
        self.log("psnr", terms["psnr"], prog_bar=True, logger=False)
        return {"loss": loss, "tokens": output.quantized.tokens.detach()}

    def _disturb(self) -> Callable[[Quantized], Tensor] | None:
        """What replaces some tokens in this step; None before that begins."""
        if not self.perturbation.share or not self.perturbation.begun(self.global_step, self.trainer.estimated_stepping_batches):
            return None
        return lambda quantized: replaced(self.tokenizer.quantizer, quantized, self.perturbation.share)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        output = self.tokenizer(batch["video"])
        _, terms = self._reconstruction_terms(output, batch["video"])
        terms["psnr"] = psnr(output.video, batch["video"]).mean()
        terms["one_colour_psnr"] = psnr(self._in_one_colour(batch["video"]), batch["video"]).mean()
        if self.perturbation.share:
            terms["psnr_perturbed"] = self._perturbed_psnr(output.quantized, batch["video"])
        if self.steadiness.weight:
            terms["steady_share"] = steady_share(self.tokenizer, batch["video"][:, :, 0]).mean()
        batch_size = batch["video"].shape[0]
        self.log_dict({f"val/{name}": value for name, value in terms.items()}, batch_size=batch_size, sync_dist=True)
        self.log("val_psnr", terms["psnr"], prog_bar=True, logger=False, batch_size=batch_size, sync_dist=True)

    def _perturbed_psnr(self, quantized: Quantized, video: Tensor) -> Tensor:
        """If the share of the tokens that training replaces at most is replaced, always the same ones."""
        tokens = quantized.tokens
        with torch.random.fork_rng():
            torch.manual_seed(0)
            chosen = torch.rand(tokens.shape, device=tokens.device) < self.perturbation.share
            wrong = torch.where(chosen, self.tokenizer.quantizer.near(tokens), tokens)
        return psnr(self.tokenizer.decode(wrong).clamp(-1, 1), video).mean()

    def _in_one_colour(self, video: Tensor) -> Tensor:
        """The video with the mean colour of its pixels in the place of each token: what any tokenizer should exceed."""
        time, space = self.tokenizer.temporal_stride, self.tokenizer.spatial_stride
        first, later = (
            reduce(part, "b c (t k) (h a) (w d) -> b c t 1 h 1 w 1", "mean", k=k, a=space, d=space)
            for part, k in ((video[:, :, :1], 1), (video[:, :, 1:], time))
        )
        spread = [
            repeat(part, "b c t 1 h 1 w 1 -> b c (t k) (h a) (w d)", k=k, a=space, d=space)
            for part, k in ((first, 1), (later, time))
        ]
        return torch.cat(spread, dim=2)

    def _reconstruction_terms(self, output: TokenizerOutput, video: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        terms = {"reconstruction": self.loss(output.video, video), "quantizer": output.quantized.loss.float()}
        loss = terms["reconstruction"] + terms["quantizer"]
        for distance in self._perceptual:
            terms["perceptual"] = distance(_pictures(output.video.float()), _pictures(video)).mean()
            loss = loss + self.perceptual * terms["perceptual"]
        return loss, terms

    def _add_adversarial_terms(
        self, loss: Tensor, terms: dict[str, Tensor], fake: Tensor, real: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Both players in one backward pass: each term reaches the weights of its own player only."""
        assert self.discriminator is not None
        self.discriminator.requires_grad_(False)
        generator = -self.discriminator(fake).float().mean()
        self.discriminator.requires_grad_(True)
        weight = adaptive_weight(loss, generator, self._last_layer)
        critic = hinge_loss(self.discriminator(real).float(), self.discriminator(fake.detach()).float())
        terms |= {"adversarial": generator, "adaptive_weight": weight, "discriminator": critic}
        return loss + self.adversarial * weight * generator + critic, terms

    @property
    def _last_layer(self) -> Tensor:
        return cast(Upsample, self.tokenizer.decoder.ups[-1]).linear.weight


def _unsound_clips(batch: dict[str, Any], reconstruction: Tensor) -> list[str]:
    """The names of the clips that are not finite, or whose reconstruction is not."""
    sound = (batch["video"].isfinite() & reconstruction.isfinite()).flatten(1).all(dim=1)
    if bool(sound.all()):
        return []
    names = batch.get("names") or [f"clip {place} of the batch" for place in range(len(sound))]
    return [name for name, is_sound in zip(names, sound.tolist(), strict=True) if not is_sound]


def start_from(tokenizer: VideoTokenizer, start: Bundle) -> None:
    """Puts the weights of the tokenizer in the bundle `start` into `tokenizer`.

    Raises:
        ValueError: The two differ in their network or quantizer.
    """
    had, wanted = (
        {**asdict(t.config), "quantizer": type(t.quantizer).__name__, **t.quantizer.options} for t in (start.tokenizer, tokenizer)
    )
    wrong = [name for name in {**had, **wanted} if had.get(name) != wanted.get(name)]
    if wrong:
        raise ValueError(
            f"cannot start from {start.path}: its tokenizer has {wrong[0]} {had.get(wrong[0])}, and {wanted.get(wrong[0])} is "
            "wanted; make them equal in `model.init_args`"
        )
    tokenizer.load_state_dict(start.tokenizer.state_dict())


def _pictures(video: Tensor) -> Tensor:
    return rearrange(video, "b c t h w -> (b t) c h w")
