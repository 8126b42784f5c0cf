"""`VideoLMConfig`: the shape of the video LM."""

from dataclasses import dataclass
from math import isqrt
from typing import Literal, get_args

from .cache import CacheShape

ActionConditioning = Literal["add", "film"]
"""How actions reach the tokens of their latent frame."""

_CHOICES = ("embedding_skip", "value_embeddings", "rewards", "ends")
_NO_SIZES = (*_CHOICES, "sink_frames", "frame_shape", "codebook_base", "num_actions", "action_conditioning")


@dataclass(frozen=True, kw_only=True)
class VideoLMShape:
    """What one chooses of the video LM."""

    width: int = 256
    """Width E of the transformer."""
    num_layers: int = 6
    """Number of layers."""
    num_heads: int = 4
    """Query heads; the head width is `width / num_heads`."""
    num_kv_heads: int = 2
    """Key and value heads, shared by groups of query heads."""
    mlp_width: int = 640
    """Hidden width of the gated feed-forward layers."""
    cross_every: int = 2
    """Every how many layers attend to the prompt."""
    text_width: int = 128
    """Width of the text encoder."""
    text_layers: int = 2
    """Layers of the text encoder."""
    max_prompt_length: int = 48
    """Text ids of a prompt at most, with the end."""
    sink_frames: int = 1
    """First latent frames of a stream that are kept for ever."""
    context_frames: int = 7
    """Latest finished latent frames that are seen, beside the sink."""
    factorise_above: int = 4096
    """Vocabularies larger than this are predicted in two factors."""
    embedding_skip: bool = False
    """Whether every layer gets the vectors of the first one again, by a share that is learned."""
    value_embeddings: bool = False
    """Whether every other layer adds a vector of the input token to the values of its attention, through a gate."""
    action_conditioning: ActionConditioning = "add"
    """How actions, if the data have any, reach the tokens of their latent frame: `add` a vector to the inputs, or `film` the
    normed inputs of every layer (scale and shift)."""
    rewards: bool = False
    """Whether the reward of each latent frame is predicted."""
    ends: bool = False
    """Whether the end of the episode is predicted."""

    def __post_init__(self) -> None:
        sizes = {name: value for name, value in vars(self).items() if name not in _NO_SIZES}
        small = [f"{name} {value}" for name, value in sizes.items() if value < 1]
        if small or self.sink_frames < 0:
            raise ValueError(f"got {', '.join(small) or f'sink_frames {self.sink_frames}'}; wanted sizes of at least 1 (sink: 0)")
        if self.width % self.num_heads or self.num_heads % self.num_kv_heads or self.width // self.num_heads % 2:
            raise ValueError(
                f"got width {self.width}, num_heads {self.num_heads}, num_kv_heads {self.num_kv_heads}; wanted num_heads to "
                "divide width into even parts and num_kv_heads to divide num_heads"
            )
        if self.action_conditioning not in get_args(ActionConditioning):
            raise ValueError(
                f"got action_conditioning {self.action_conditioning!r}; wanted {' or '.join(get_args(ActionConditioning))}"
            )

    @property
    def max_parallel_frames(self) -> int:
        """Latent frames of which each sees all before it: the longest clip to train on."""
        return self.sink_frames + self.context_frames + 1


@dataclass(frozen=True, kw_only=True)
class VideoLMConfig(VideoLMShape):
    """Shape of the video LM: what one chooses, and what its tokenizers and videos dictate."""

    codebook_size: int
    """Number of video tokens V; read from the tokenizer."""
    frame_shape: tuple[int, int]
    """Rows and columns of tokens in a latent frame; read from the tokenizer and the size of the video."""
    text_vocab_size: int
    """Number of text ids; read from the text tokenizer."""
    codebook_base: int | None = None
    """Where tokens are cut in two factors; read from the tokenizer. None becomes the square root of their number, or stays if
    they are not cut at all."""
    num_actions: int = 0
    """Numbers A of an action; read from the action space of the data. 0 is a model without actions."""
    action_frames: int = 1
    """Frames, and so actions, of a latent frame: the temporal stride; read from the tokenizer if there are actions."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "frame_shape", tuple(self.frame_shape))
        if self.codebook_size <= self.factorise_above:
            object.__setattr__(self, "codebook_base", None)
        elif self.codebook_base is None:
            object.__setattr__(self, "codebook_base", isqrt(self.codebook_size - 1) + 1)
        elif not 1 <= self.codebook_base <= self.codebook_size:
            raise ValueError(f"got codebook_base {self.codebook_base}; wanted 1 to {self.codebook_size}, the tokens there are")
        if min(self.frame_shape) < 1:
            raise ValueError(f"got frame_shape {self.frame_shape}; wanted at least one row and one column of tokens")
        if self.num_actions < 0:
            raise ValueError(f"got num_actions {self.num_actions}; wanted the size of an action space, or 0 without actions")

    @property
    def cache_shape(self) -> CacheShape:
        """Sizes of the cache that this context needs."""
        return CacheShape(self.frame_shape, self.sink_frames, self.context_frames)
