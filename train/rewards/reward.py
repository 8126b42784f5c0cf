"""`Reward`: what clips are worth; a sum of several; and the checks of what one gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data import CaptionedClip
from ..clip_data import stack_known

_REMEDY = "mend it, then go on with `--ckpt_path last`"
_SHOWN = 60  # characters of a prompt in a message


class RewardError(RuntimeError):
    """A reward gave nothing that can be learned from."""


@dataclass(frozen=True)
class MadeClips:
    """Clips that a model made.

    Attributes:
        frames: uint8 `[N, T, H, W, 3]`.
        sources: N, the true clips of which their prompts, actions and first frames were taken.
        given: Frames at the beginning of each that were not made, but are those of the true clip.
    """

    frames: Tensor
    sources: tuple[CaptionedClip, ...]
    given: int = 0

    @property
    def prompts(self) -> list[str]:
        """What each clip is to show; of a timeline the first prompt. `sources` have all of it."""
        return [source.captions[0].text for source in self.sources]

    @property
    def true(self) -> Tensor:
        """uint8 `[N, T, H, W, 3]`, the frames of the true clips."""
        return torch.stack([source.frames for source in self.sources])

    @property
    def actions(self) -> Tensor | None:
        """float32 `[N, T, A]`, what was done, NaN where unknown; None if nothing is known of any."""
        return stack_known([source.actions for source in self.sources])

    def __len__(self) -> int:
        return len(self.frames)

    def name(self, place: int) -> str:
        """What a message calls a clip."""
        prompt = self.prompts[place]
        return f"clip {place} ({prompt[:_SHOWN]!r})" if prompt else f"clip {place}"


class Reward(ABC):
    """What clips are worth. Any scale will do: clips of one prompt are compared with each other alone."""

    @abstractmethod
    def judge(self, clips: MadeClips) -> Tensor:
        """float `[N]`, more for what is better. An error should name its clip, as `clips.name(place)` does."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        return type(self).__name__


class WeightedReward(Reward):
    """A weighted sum of rewards.

    Args:
        rewards: The parts.
        weights: One for each.

    Raises:
        ValueError: There is no reward, or not one weight for each.
    """

    def __init__(self, rewards: list[Reward], weights: list[float]):
        if not rewards or len(rewards) != len(weights):
            raise ValueError(
                f"got {len(rewards)} rewards and {len(weights)} weights; wanted a weight for each of 1 or more rewards"
            )
        self.rewards, self.weights = list(rewards), list(weights)

    def judge(self, clips: MadeClips) -> Tensor:
        parts = [weight * judged(reward, clips) for reward, weight in zip(self.rewards, self.weights, strict=True)]
        return torch.stack(parts).sum(dim=0)


@torch.no_grad()
def judged(reward: Reward, clips: MadeClips) -> Tensor:
    """What the clips are worth, float32 `[N]`, checked.

    Raises:
        RewardError: The reward raised, or gave something else than a finite number for each clip; it and the clip are named.
    """
    try:
        with torch.autocast(clips.frames.device.type, enabled=False):  # whoever wrote the reward knows nothing of the training
            values = reward.judge(clips)
    except RewardError:
        raise
    except Exception as error:
        raise RewardError(
            f"the reward {reward.name} raised {type(error).__name__}: {' '.join(str(error).split())}; wanted a number for each "
            f"of {len(clips)} clips; {_REMEDY}"
        ) from error
    if not isinstance(values, Tensor) or values.shape != (len(clips),) or values.is_complex():
        got = f"a tensor of shape {list(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise RewardError(
            f"the reward {reward.name} gave {got}; wanted a tensor of shape [{len(clips)}], a number for each clip; {_REMEDY}"
        )
    values = values.detach().float().cpu()
    broken = (~torch.isfinite(values)).nonzero()[:, 0].tolist()
    if broken:
        raise RewardError(
            f"the reward {reward.name} gave {float(values[broken[0]])} for {clips.name(broken[0])}{_and_more(broken)}; wanted "
            f"finite numbers; {_REMEDY}"
        )
    return values


def _and_more(broken: Sequence[int]) -> str:
    return f" and {len(broken) - 1} more" if len(broken) > 1 else ""
