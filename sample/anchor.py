"""Re-anchoring: the sink of a long stream, renewed from a picture of its own."""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from ..data import to_video
from ..data.kinds import whole
from ..model import LMState, PromptMemory, VideoLM, shift_tokens
from ..state import State
from .codec import VideoCodec


@dataclass
class Anchor(State):
    """What a stream keeps to renew its sink.

    Attributes:
        every: Latent frames between two renewals.
        pictures: uint8 `[1, context_frames, H, W, 3]`, the last frame of each latent frame of the window, oldest first.
    """

    every: int
    pictures: Tensor

    def keep(self, picture: Tensor) -> None:
        """Keeps the last frame of a latent frame, uint8 `[H, W, 3]`."""
        self.pictures = torch.cat([self.pictures[:, 1:], picture[None, None]], dim=1)

    def is_due(self, latent_index: int, past_frames: int) -> bool:
        """Whether the sink is to be renewed before the latent frame `latent_index`; not before the window has rolled on."""
        return latent_index >= past_frames and latent_index % self.every == 0


def init_anchor(every: int, lm: VideoLM, codec: VideoCodec) -> Anchor:
    """What a stream keeps that begins.

    Raises:
        ValueError: `every` is below 1, or the video LM has no sink.
    """
    every = whole("reanchor_every", every, -inf, inf, "a whole number of latent frames, or None to keep the sink as it is")
    if every < 1 or not lm.config.sink_frames:
        raise ValueError(
            f"got reanchor_every {every} for a model with {lm.config.sink_frames} sink frames; wanted at least 1 of "
            "each; leave it out to keep the sink as it is"
        )
    shape = (1, lm.config.context_frames, codec.height, codec.width, 3)
    return Anchor(every, torch.zeros(shape, dtype=torch.uint8, device=codec.device))


@torch.inference_mode()
def renew_sink(lm: VideoLM, state: LMState, prompts: PromptMemory, picture: Tensor, codec: VideoCodec) -> None:
    """Puts a picture, uint8 `[H, W, 3]`, in the place of the sink's first frame, encoded as the first frame of a video is.

    Args:
        lm: The video LM.
        state: Where it stands, before a latent frame. Updated.
        prompts: What conditions it, rows as in `state`.
        picture: What is to be remembered.
        codec: Encodes the picture.
    """
    tokens = codec.tokenizer.encode(to_video(picture[None])[None].to(codec.device))
    inputs = shift_tokens(tokens, 1, lm.start_id)
    rows = prompts.keys.shape[0]
    fresh = lm.init_state(rows)
    lm(inputs.expand(rows, -1), prompts, 1, fresh)
    lm.replace_sink(state, fresh)
