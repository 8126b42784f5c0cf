"""The encoder and the decoder: pixels to latents and back, at multiples of the temporal stride.

The network knows whole groups of `temporal_stride` frames only; `VideoTokenizer` adds the law for lengths around it.
"""

from typing import cast

from torch import Tensor, nn

from ..state import States
from .config import VideoTokenizerConfig
from .layers import Downsample, Stage, Upsample


class Encoder(nn.Module):
    """`[B, T, H, W, 3]` -> `[B, T / temporal_stride, H / spatial_stride, W / spatial_stride, latent_dim]`."""

    def __init__(self, config: VideoTokenizerConfig, latent_dim: int):
        super().__init__()
        self.config = config
        channels = config.channels
        downs = [Downsample(3, channels[0], time=1, space=config.patch_size)]
        for before, after, time in zip(channels, channels[1:], config.time_strides, strict=False):
            downs.append(Downsample(before, after, time, space=2))
        self.downs = nn.ModuleList(downs)
        reach = 0 if config.local_encoder else 2
        kernel_sizes = [1 if config.local_encoder and stage > 0 else 3 for stage in range(len(channels))]
        shapes = zip(channels, config.num_blocks, kernel_sizes, strict=True)
        self.stages = nn.ModuleList(Stage(*shape, reach) for shape in shapes)
        self.norm = nn.LayerNorm(channels[-1])  # without it FSQ uses a tenth of its codes
        self.head = nn.Linear(channels[-1], latent_dim)

    def init_state(self, batch_size: int, height: int, width: int) -> States:
        """The state before the first frame; `height` and `width` in pixels."""
        scales = [self.config.patch_size * 2**i for i in range(len(self.stages))]
        return States(
            stage.init_state(batch_size, height // scale, width // scale)
            for stage, scale in zip(cast(list[Stage], self.stages), scales, strict=True)
        )

    def forward(self, x: Tensor, state: States | None = None) -> Tensor:
        x, states = x.to(self.head.weight.dtype), state or [None] * len(self.stages)
        for down, stage, stage_state in zip(self.downs, self.stages, states, strict=True):
            x = stage(down(x), stage_state)
        latents: Tensor = self.head(self.norm(x))
        return latents


class Decoder(nn.Module):
    """The mirror of an `Encoder` that is not local. `[B, T, H, W, latent_dim]` -> `[B, T * temporal_stride, ..., 3]`."""

    def __init__(self, config: VideoTokenizerConfig, latent_dim: int):
        super().__init__()
        self.config = config
        channels = config.channels[::-1]
        self.stem = nn.Linear(latent_dim, channels[0])
        self.stages = nn.ModuleList(Stage(*shape) for shape in zip(channels, config.num_blocks[::-1], strict=True))
        ups = []
        for before, after, time in zip(channels, channels[1:], config.time_strides[::-1], strict=False):
            ups.append(Upsample(before, after, time, space=2))
        ups.append(Upsample(channels[-1], 3, time=1, space=config.patch_size))
        self.ups = nn.ModuleList(ups)
        self.norm = nn.LayerNorm(channels[-1])

    def init_state(self, batch_size: int, height: int, width: int) -> States:
        """The state before the first latent frame; `height` and `width` in tokens."""
        return States(
            stage.init_state(batch_size, height * 2**i, width * 2**i) for i, stage in enumerate(cast(list[Stage], self.stages))
        )

    def forward(self, latents: Tensor, state: States | None = None) -> Tensor:
        x = self.stem(latents.to(self.stem.weight.dtype))
        states = state or [None] * len(self.stages)
        *ups, last = self.ups
        for stage, stage_state, up in zip(self.stages, states, [*ups, None], strict=True):
            x = stage(x, stage_state)
            x = up(x) if up is not None else self.norm(x)
        video: Tensor = last(x)
        return video
