"""Networks of arms that are not part of the package, since nobody has shown yet that they pay."""

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from framecast.state import States
from framecast.tokenizer import VideoTokenizer
from framecast.tokenizer.layers import Stage

_HEADS = 4


class FrameAttention(nn.Module):
    """Attention of all places of a latent frame to each other, added to the input. `[B, T, H, W, C]` -> the same.

    Places are told apart by the convolutions around it. Starts as the identity.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.maps = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        parts = rearrange(self.maps(self.norm(x)), "b t h w (k n d) -> k (b t) n (h w) d", k=3, n=_HEADS)
        seen = F.scaled_dot_product_attention(*parts)
        y: Tensor = x + self.out(rearrange(seen, "(b t) n (h w) d -> b t h w (n d)", t=x.shape[1], h=x.shape[2]))
        return y


class AttendingStage(nn.Module):
    """A stage between two looks at the whole latent frame; its state is that of the stage."""

    def __init__(self, stage: Stage, channels: int):
        super().__init__()
        self.before, self.stage, self.after = FrameAttention(channels), stage, FrameAttention(channels)

    def init_state(self, batch_size: int, height: int, width: int) -> States:
        return self.stage.init_state(batch_size, height, width)

    def forward(self, x: Tensor, state: States | None = None) -> Tensor:
        y: Tensor = self.after(self.stage(self.before(x), state))
        return y


def with_attention(tokenizer: VideoTokenizer) -> VideoTokenizer:
    """The tokenizer with attention in the coarsest stage of its decoder, which a local encoder leaves without a view."""
    stages = tokenizer.decoder.stages
    first = stages[0]
    assert isinstance(first, Stage)
    stages[0] = AttendingStage(first, tokenizer.config.channels[-1])
    return tokenizer
