"""The action encoder of the video LM: what was done during a latent frame, as vectors that condition its tokens.

There are two ways to condition. Each is one small class behind `ActionEncoder`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..state import State
from .config import VideoLMConfig
from .layers import zero_linear

_FRAME_WIDTH = 64  # of the vector of one frame's action


@dataclass
class ActionVectors(State):
    """The actions of some latent frames, encoded once for all tokens of these frames. One of the two is there.

    Attributes:
        added: `[B, F, E]`, added to the input at every position of a latent frame.
        films: `[B, F, layers, 4, E]`: scale and shift of the normed input of attention, then of the feed-forward layer.
    """

    added: Tensor | None = None
    films: Tensor | None = None

    @property
    def num_rows(self) -> int:
        """B."""
        return self._tensor.shape[0]

    @property
    def num_frames(self) -> int:
        """F."""
        return self._tensor.shape[1]

    def frames(self, frames: slice) -> "ActionVectors":
        """Some of the latent frames."""
        return ActionVectors(*(None if x is None else x[:, frames] for x in (self.added, self.films)))

    def frame(self, index: int) -> "ActionVectors":
        """One of the latent frames, or the one that stands for all."""
        return self if self.num_frames == 1 else self.frames(slice(index, index + 1))

    @property
    def _tensor(self) -> Tensor:
        tensor = self.films if self.added is None else self.added
        assert tensor is not None
        return tensor


class ActionEncoder(nn.Module, ABC):
    """Maps what was done during a latent frame to what conditions its tokens.

    The numbers of each frame's action become a vector, or a learned one if the action is unknown. The vectors of a latent
    frame's frames go through a small network together. The last layer starts as zero, so a model that knew no actions
    computes what it computed.

    Args:
        num_actions: Numbers A of an action.
        num_frames: Frames of a latent frame.
        width: Width E of the video LM.
        out_width: Numbers that condition a latent frame.
    """

    def __init__(self, num_actions: int, num_frames: int, width: int, out_width: int):
        super().__init__()
        self.frame = nn.Linear(num_actions, _FRAME_WIDTH)
        self.unknown = nn.Parameter(torch.empty(_FRAME_WIDTH))
        self.joined = nn.Linear(num_frames * _FRAME_WIDTH, width)
        self.out = zero_linear(width, out_width)
        self.shape = (num_frames, num_actions)
        nn.init.normal_(self.unknown)

    def forward(self, actions: Tensor) -> ActionVectors:
        """Encodes float `[B, F, frames, A]`; an action with a NaN is unknown.

        Raises:
            ValueError: The last two dimensions are not those of this model.
        """
        if actions.ndim != 4 or tuple(actions.shape[2:]) != self.shape:
            stride, size = self.shape
            raise ValueError(
                f"got actions of shape {list(actions.shape)}; wanted [videos, latent frames, {stride}, {size}]: {size} "
                f"numbers for each of the {stride} frames of a latent frame; `Stride.group` groups those of a video"
            )
        actions = actions.to(self.unknown)
        known = ~actions.isnan().any(dim=-1, keepdim=True)
        each = torch.where(known, self.frame(actions.nan_to_num()), self.unknown)
        return self.vectors(self.out(F.silu(self.joined(each.flatten(2)))))

    def nothing_known(self) -> ActionVectors:
        """The vectors of one latent frame of one video whose actions are all unknown."""
        return self.forward(self.unknown.new_full((1, 1, *self.shape), torch.nan))

    @abstractmethod
    def vectors(self, encoded: Tensor) -> ActionVectors:
        """What conditions, of `[B, F, out_width]`."""


class AddedActions(ActionEncoder):
    """One vector a latent frame, added to the input at each of its positions."""

    def __init__(self, config: VideoLMConfig):
        super().__init__(config.num_actions, config.action_frames, config.width, config.width)

    def vectors(self, encoded: Tensor) -> ActionVectors:
        return ActionVectors(added=encoded)


class FilmActions(ActionEncoder):
    """Scale and shift of the normed inputs of every layer: FiLM (Perez et al. 2018)."""

    def __init__(self, config: VideoLMConfig):
        self.films = (config.num_layers, 4, config.width)
        super().__init__(config.num_actions, config.action_frames, config.width, config.num_layers * 4 * config.width)

    def vectors(self, encoded: Tensor) -> ActionVectors:
        return ActionVectors(films=encoded.unflatten(-1, self.films))


def action_encoder(config: VideoLMConfig) -> ActionEncoder | None:
    """The action encoder of a config; None if the model knows no actions."""
    if not config.num_actions:
        return None
    kinds = {"add": AddedActions, "film": FilmActions}
    encoder: ActionEncoder = kinds[config.action_conditioning](config)
    return encoder


def spread(vectors: Tensor, num_tokens: int, frame_length: int) -> Tensor:
    """What each of `num_tokens` tokens from the start of a latent frame on gets: `[B, F, ...]` -> `[B, num_tokens or 1, ...]`."""
    if vectors.shape[1] == 1:
        return vectors  # one for all
    return vectors.repeat_interleave(frame_length, dim=1)[:, :num_tokens]


def film(x: Tensor, films: Tensor | None, place: int) -> Tensor:
    """Scales and shifts `x` `[B, S, E]` by one of the pairs in `films` `[B, S or 1, 4, E]`; none if there are none."""
    if films is None:
        return x
    scale, shift = films[:, :, 2 * place], films[:, :, 2 * place + 1]
    return x * (1 + scale) + shift
