"""`VideoTokenizerConfig`: the shape of a tokenizer's network, and its strides, in a file that is read without torch."""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class VideoTokenizerConfig:
    """Shape of the tokenizer's network."""

    patch_size: int = 4
    """Side of the square of pixels that the first layer folds into channels."""
    channels: tuple[int, ...] = (64, 128)
    """Width of each stage; every stage after the first halves height and width."""
    num_blocks: tuple[int, ...] = (2, 3)
    """Residual blocks of each stage."""
    time_strides: tuple[int, ...] = (4,)
    """Frames folded into one between a stage and the next; their product is the temporal stride."""
    local_encoder: bool = False
    """Whether a token says only what its own pixels show. The encoder then looks at no frames before its own latent frame, and
    beyond a token's square by `patch_size` pixels for each block of the first stage. Video LMs learn such tokens sooner."""

    def __post_init__(self) -> None:
        for name in ("channels", "num_blocks", "time_strides"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(self.num_blocks) != len(self.channels) or len(self.time_strides) != len(self.channels) - 1:
            raise ValueError(
                f"got channels {self.channels}, num_blocks {self.num_blocks}, time_strides {self.time_strides}; wanted as "
                "many num_blocks as channels and one time stride fewer, since strides stand between the stages"
            )
        if self.patch_size < 1 or min(*self.channels, *self.num_blocks, *self.time_strides, 1) < 1:
            raise ValueError(f"got {self}; wanted every size to be at least 1")

    @property
    def temporal_stride(self) -> int:
        """Frames per latent frame."""
        return prod(self.time_strides)

    @property
    def spatial_stride(self) -> int:
        """Pixels per token, along rows and along columns."""
        stride: int = self.patch_size * 2 ** (len(self.channels) - 1)
        return stride
