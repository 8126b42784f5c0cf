"""`ActionReward`: whether clips show what was done in them."""

import numpy as np
import torch
from torch import Tensor

from ...data import ClipSource
from ...evaluate.worlds.action_net import ActionNet, Shown, train_action_net, true_classes
from ...evaluate.worlds.choices import choices_of
from .reward import MadeClips, Reward

_LEAST = -5.0  # nats, of a frame that shows something else


class ActionReward(Reward):
    """How clearly an inverse-dynamics network names from a clip what was done: the mean log-probability, in nats, at least -5.

    The network learns from true clips when the first clips are judged, which takes about half a minute.

    Args:
        source: True clips with their actions.
        num_clips: How many of them it learns from.
        steps: Of its training.
        seed: Of its weights.

    Raises:
        ValueError: The source knows no actions, or a number is below 1.
    """

    def __init__(self, source: ClipSource, num_clips: int = 200, steps: int = 500, seed: int = 0):
        if source.action_space is None:
            raise ValueError("got a source without actions; wanted one that knows what was done, such as a recording")
        if min(num_clips, steps) < 1:
            raise ValueError(f"got num_clips {num_clips} and steps {steps}; wanted at least 1")
        self.source, self.num_clips, self.steps, self.seed = source, num_clips, steps, seed
        self._net: ActionNet | None = None

    @property
    def net(self) -> ActionNet:
        """What names actions; trained at first use."""
        if self._net is None:
            self._net = self._trained()
        return self._net

    def _trained(self) -> ActionNet:
        assert self.source.action_space is not None
        places = np.linspace(0, len(self.source) - 1, min(self.num_clips, len(self.source))).astype(int)
        clips = [clip for clip in map(self.source.__getitem__, places.tolist()) if clip.actions is not None]
        shown = [Shown(clip.frames, clip.actions.numpy()) for clip in clips if clip.actions is not None]
        rows = [one.actions for one in shown]
        choices = choices_of(self.source.action_space, np.concatenate(rows)) if rows else ()
        if not choices:
            raise ValueError(f"the actions of {len(rows)} true clips hardly ever change, so none can be named; wanted others")
        with torch.enable_grad():
            return train_action_net(shown, choices, lambda _: None, seed=self.seed, steps=self.steps)

    def judge(self, clips: MadeClips) -> Tensor:
        actions = clips.actions
        if actions is None:
            raise ValueError("got clips of which nobody knows what was done; wanted a source with actions")
        rows = actions.numpy()
        return torch.tensor([self._clearness(*each, clips.given) for each in zip(clips.frames, rows, strict=True)])

    def _clearness(self, frames: Tensor, rows: np.ndarray, given: int) -> float:
        """Mean log-probability of what was truly done, over the frames that were made."""
        net = self.net
        windows, first = net.windows_of(frames), max(0, given - net.window.at)
        if len(windows) <= first:
            raise ValueError(
                f"got clips of {len(frames)} frames, {given} of them given; wanted {net.window.span} more than given"
            )
        found = []
        for choice, logits in zip(net.choices, net(windows[first:]), strict=True):
            true = torch.from_numpy(true_classes(choice, rows, net.window)[first:])
            known = true >= 0
            logs = logits.log_softmax(dim=1)[known].gather(1, true[known, None])
            found.append(logs.clamp(min=_LEAST).flatten())
        every = torch.cat(found)
        return float(every.mean()) if len(every) else 0.0
