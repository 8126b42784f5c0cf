"""How large the networks and their batches are: ladders of sizes, and shapes for plain videos."""

from dataclasses import dataclass

from ...model import VideoLMShape
from ...tokenizer import VideoTokenizerConfig

NUM_FRAMES = 17
"""Frames of a clip: five latent frames, of a world seventeen."""
TIME_STRIDE = 4
"""Frames of a latent frame, unless it is one of a world."""
LARGEST_FINE = 96
"""Up to this size a token stands for 8 x 8 pixels, beyond it for 16 x 16: the tokens of a frame must not grow without end."""
SMALLEST, LARGEST = 16, 512
_CLIPS, _TOKENIZER_CLIPS = 16, 8
_TOKENS = _CLIPS * 5 * 64  # of as many clips, with five latent frames of 8 x 8
_REFERENCE = 64
LEVELS = (8, 5, 5, 5)
"""1,000 codes: more are not seen often enough in little video; docs/log.md has what 64,000 gave."""
MANY_LEVELS = (8, 8, 8, 5, 5, 5)
"""64,000 codes, for much video."""
MUCH_VIDEO = 3 * 3600
"""Seconds of video from which on the larger codebook is taken."""


@dataclass(frozen=True)
class Rung:
    """A size of a network."""

    name: str
    cost: float
    """Time of a step beside those of its ladder."""
    least_video: float = 0.0
    """Seconds of video below which a network of this size only learns by heart."""


TOKENIZERS = (Rung("large", 2.6), Rung("base", 1.0), Rung("small", 0.6), Rung("tiny", 0.3))
"""From the largest to the smallest."""
LMS = (Rung("huge", 8.0, 6 * 3600), Rung("large", 4.0, 3600), Rung("base", 2.0, 1200), Rung("small", 1.0), Rung("tiny", 0.35))
"""From the largest to the smallest."""
_TOKENIZER_SHAPES = {
    "large": ((96, 192), (2, 3)),
    "base": ((64, 128), (1, 3)),
    "small": ((48, 96), (1, 3)),
    "tiny": ((32, 64), (1, 1)),
}
_LM_SHAPES = {  # width, layers, heads, key heads, width of the feed-forward layers
    "huge": (512, 10, 8, 2, 1408),
    "large": (384, 8, 6, 2, 1024),
    "base": (256, 6, 4, 1, 640),
    "small": (192, 5, 3, 1, 512),
    "tiny": (128, 3, 2, 1, 256),
}


def stride_of(size: int) -> int:
    """Pixels per token along a side, for frames of `size`."""
    return 8 if size <= LARGEST_FINE else 16


def check_size(size: int) -> None:
    """Raises ValueError if frames of `size` x `size` cannot be cut into tokens; names the nearest sizes that can."""
    whole = isinstance(size, int) and not isinstance(size, bool)
    if not whole or not SMALLEST <= size <= LARGEST:
        raise ValueError(f"got --size {size}; wanted a whole number of pixels from {SMALLEST} to {LARGEST}, such as 64")
    stride = stride_of(size)
    if size % stride:
        below = size - size % stride
        above = below + stride if stride_of(below + stride) == stride else below + stride_of(below + stride)
        raise ValueError(
            f"got --size {size}; wanted a multiple of {stride}, since a token of such frames is {stride} x {stride} pixels; "
            f"the nearest are {below} and {above}"
        )


def tokenizer_shape(name: str, size: int) -> VideoTokenizerConfig:
    """The network of a rung of `TOKENIZERS`, for frames of `size`."""
    channels, blocks = _TOKENIZER_SHAPES[name]
    if stride_of(size) == 8:
        return VideoTokenizerConfig(channels=channels, num_blocks=blocks, time_strides=(TIME_STRIDE,), local_encoder=True)
    return VideoTokenizerConfig(
        channels=(*channels, channels[-1]),
        num_blocks=(*blocks, blocks[-1]),
        time_strides=(2, 2),
        local_encoder=True,
    )


def lm_shape(name: str, longest_caption: int) -> VideoLMShape:
    """The network of a rung of `LMS`, for captions of `longest_caption` bytes."""
    width, layers, heads, kv_heads, mlp = _LM_SHAPES[name]
    return VideoLMShape(
        width=width,
        num_layers=layers,
        num_heads=heads,
        num_kv_heads=kv_heads,
        mlp_width=mlp,
        max_prompt_length=prompt_length(longest_caption),
        factorise_above=256,  # learns sooner than one table of 1,000 codes; see docs/log.md
    )


def prompt_length(longest_caption: int) -> int:
    """Ids of a prompt at most, for captions of so many bytes: no text has more ids than these and an end."""
    return -(-(longest_caption + 2) // 16) * 16


def tokenizer_batch(size: int, on_gpu: bool) -> int:
    """Clips a step: about as many pixels, whatever the size."""
    return (
        max(2, round(_TOKENIZER_CLIPS * (4 if on_gpu else 1) * (_REFERENCE / size) ** 2))
        if size > _REFERENCE
        else (_TOKENIZER_CLIPS * (4 if on_gpu else 1))
    )


def lm_batch(tokens: int, on_gpu: bool) -> int:
    """Clips a step: about as many tokens, if a clip has `tokens`."""
    return max(4, min(_CLIPS, round(_TOKENS / tokens)) * (4 if on_gpu else 1))


def levels_for(seconds: float) -> tuple[int, ...]:
    """Levels of the quantizer for so much video."""
    return MANY_LEVELS if seconds >= MUCH_VIDEO else LEVELS
