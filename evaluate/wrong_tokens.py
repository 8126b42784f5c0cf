"""What wrong tokens cost: the tokenizer's reconstruction if some tokens are the second choice of the video LM."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..model import VideoLM, to_sequence
from ..tokenizer import VideoTokenizer
from .figures import Figure, mean_of
from .metrics import psnr

ABOUT_WRONG_TOKENS = (
    "So that an error of the video LM costs little, the tokenizer should make little of it. The report says what is lost if "
    "tokens are replaced by those that the LM finds most likely of all others, given the true tokens before their row."
)
_PERCENT = (0, 1, 5, 10)


class WrongTokens:
    """Collects the PSNR of clips of which 0, 1, 5 and 10 % of the tokens were replaced, more each time (after Qiu et al. 2025).

    A token is replaced by the one that the video LM finds most likely of all others, given the true tokens before its row. Such
    errors are those that sampling makes, so what they cost is what the decoder adds to them.
    """

    def __init__(self) -> None:
        self.found: dict[int, list[float]] = {percent: [] for percent in _PERCENT}

    @torch.inference_mode()
    def note(self, tokenizer: VideoTokenizer, lm: VideoLM, hidden: Tensor, tokens: Tensor, video: Tensor) -> None:
        """Takes a clip.

        Args:
            tokenizer: Made the tokens.
            lm: Predicts them.
            hidden: `[1, S, E]`, what predicts each token.
            tokens: int64 `[1, T, H, W]`, the true ones.
            video: `[1, 3, frames, H, W]` in [-1, 1].
        """
        order = torch.rand(tokens.numel(), generator=torch.Generator().manual_seed(len(self.found[0])))
        for percent, values in self.found.items():
            wrong = with_second_choices(lm, hidden, tokens, order < percent / 100)
            values.append(float(psnr(tokenizer.decode(wrong), video)))

    def figures(self) -> list[Figure]:
        """PSNR without wrong tokens, and what each share of them takes off."""
        none = self.found[0]
        return [
            mean_of("PSNR, no token replaced", none, unit="dB"),
            *(
                mean_of(
                    f"PSNR lost, {percent} % of the tokens replaced by the LM's second choice",
                    _lost(none, values),
                    unit="dB",
                    better="lower",
                    target="<= 1 (L4)" if percent == 5 else "",
                )
                for percent, values in self.found.items()
                if percent
            ),
        ]


def with_second_choices(lm: VideoLM, hidden: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    """`tokens` `[1, T, H, W]` with those at `chosen` bool `[S]` replaced by what the LM finds most likely of all others."""
    sequence = to_sequence(tokens)
    logits = lm.vocabulary.logits(hidden[0, chosen].float())
    logits = logits.scatter(-1, sequence[0, chosen].unsqueeze(-1), float("-inf"))
    wrong = sequence.clone()
    wrong[0, chosen] = logits.argmax(dim=-1)
    return wrong.view_as(tokens)


def _lost(none: Sequence[float], values: Sequence[float]) -> list[float]:
    return [before - after for before, after in zip(none, values, strict=True)]
