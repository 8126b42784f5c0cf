"""The critic of the late adversarial term: looks at patches of single frames and of neighbouring ones."""

from einops import rearrange
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """Scores patches of two frames in a row, so that flicker is seen too (after PatchGAN, Isola et al. 2017).

    Args:
        width: Channels of the first layer; doubled at each of the next two.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 6
        for out in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(channels, out, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels = out
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, kernel_size=3, padding=1))

    def forward(self, video: Tensor) -> Tensor:
        """`[B, 3, T, H, W]` -> scores `[B * T, 1, H / 8, W / 8]`, positive for real."""
        # the first frame is its own neighbour
        before = video[:, :, [0, *range(video.shape[2] - 1)]]
        pairs = rearrange([before, video], "n b c t h w -> (b t) (n c) h w")
        return self.layers(pairs)
