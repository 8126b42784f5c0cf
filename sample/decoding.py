"""How the tokens of a latent frame are found: block after block, or all at once until nothing changes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..model import LMState, PromptMemory, VideoLM
from ..model.vocabulary import Pick

ChooserOf = Callable[[slice], Pick]
"""Gives what chooses the tokens of some places of the latent frame; each one is used once."""


@dataclass(frozen=True)
class Found:
    """The tokens of a latent frame.

    Attributes:
        tokens: int64 `[R, frame_length]`.
        forwards: Forwards of the video LM that it took.
    """

    tokens: Tensor
    forwards: int


class NextFrame:
    """The next latent frame of some streams, all of which are before their first one, or none.

    Args:
        lm: Predicts.
        state: Where the streams stand; of R rows, or of 2 R if guided. Updated.
        prompts: What conditions them, rows as in `state`.
        previous: int64 `[R, frame_length]`, the latent frames before.
        block_length: Tokens that are chosen without knowing each other; in the first latent frame always 1.

    Attributes:
        is_first: Whether it is the first latent frame of its streams.
        num_streams: R.
        own_block_length: Tokens of a block in this latent frame: `block_length`, or 1 in the first.
    """

    def __init__(self, lm: VideoLM, state: LMState, prompts: PromptMemory, previous: Tensor, block_length: int):
        self.lm, self.state, self.prompts, self.previous = lm, state, prompts, previous
        self.block_length, self.num_streams = block_length, previous.shape[0]
        self.is_first = not state.frames.any()
        self.own_block_length = 1 if self.is_first else block_length
        self.copies = prompts.keys.shape[0] // previous.shape[0]

    def in_order(self, chooser: ChooserOf) -> Found:
        """Block after block, one forward for each."""
        frame = self.lm.frame_length
        tokens = torch.full_like(self.previous, -1)
        for start in range(0, frame, self.own_block_length):
            places = slice(start, start + self.own_block_length)
            tokens[:, places] = self._choose(tokens, places, chooser)
        return Found(tokens, frame // self.own_block_length)

    def in_parallel(self, chooser: ChooserOf) -> Found:
        """The same tokens in fewer forwards: Jacobi decoding (Song et al. 2021) with fixed noise.

        Each token's uniform number is fixed, so that what is found block after block is the one fixed point of "choose all
        tokens again, given those before". The first draft is the latent frame before. Every forward accepts the tokens up to
        and including the first block that changed: they are final, and not computed again.
        """
        frame = self.lm.frame_length
        tokens, start, forwards = self.previous.clamp(0, self.lm.config.codebook_size - 1), 0, 0
        while start < frame:
            self.lm.rewind(self.state, start)
            places = slice(start, frame)
            chosen = self._choose(tokens, places, chooser, hold=True)
            changed = (chosen != tokens[:, places]).any(dim=0).nonzero()
            tokens = torch.cat([tokens[:, :start], chosen], dim=1)
            forwards += 1
            block = (start + int(changed[0])) // self.own_block_length if len(changed) else frame
            start = (block + 1) * self.own_block_length  # the first block that changed was chosen from what is final
        self.lm.finish(self.state)
        return Found(tokens, forwards)

    def _choose(self, tokens: Tensor, places: slice, chooser: ChooserOf, hold: bool = False) -> Tensor:
        """The tokens of some places, from those before them."""
        frame = self.lm.frame_length
        known = torch.cat([self.previous, tokens], dim=1)
        inputs = known[:, frame + places.start - self.own_block_length : frame + places.stop - self.own_block_length]
        hidden = self.lm(inputs.repeat(self.copies, 1), self.prompts, self.block_length, self.state, hold).hidden
        return self.lm.vocabulary.sample(hidden, chooser(places))
