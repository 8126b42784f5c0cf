"""`Imitator`: plays as whoever recorded the video did, by what it sees (behavioural cloning, Pomerleau 1989)."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .action_net import AHEAD, ActionNet, reduced, train_action_net
from .choices import Choice, choices_of
from .recording import Recording
from .trying import Rows, known


class Imitator:
    """Draws the next action of each stream from what a network thinks that the recording's policy would do.

    Args:
        net: Names the next action from the last frames.
        rows: float32 `[N, A]`, the actions of the recording; of a class of an axis, the mean of those in it is played.
        seed: Of the draws.
    """

    def __init__(self, net: ActionNet, rows: Rows, seed: int = 0):
        self.net, self._draws = net, np.random.default_rng(seed)
        rows = known(rows)
        self._usual = np.median(rows, axis=0).astype(np.float32)
        self._values = [_values(choice, rows) for choice in net.choices]

    @torch.inference_mode()
    def __call__(self, seen: Sequence[Tensor]) -> list[Rows]:
        """The next action, float32 `[A]`, of each stream.

        Args:
            seen: uint8 `[T, H, W, 3]` of each stream, T >= 1: what it has shown so far.
        """
        windows = torch.stack([reduced(_last(frames)) for frames in seen])
        shares = [logits.softmax(dim=1).double().numpy() for logits in self.net(windows)]
        actions = []
        for row in range(len(seen)):
            action = self._usual.copy()
            for choice, values, by_row in zip(self.net.choices, self._values, shares, strict=True):
                picked = self._draws.choice(len(choice.labels), p=by_row[row] / by_row[row].sum())
                action[list(choice.columns)] = values[picked]
            actions.append(action)
        return actions


def train_imitator(recording: Recording, progress: Callable[[float], None], seed: int = 0) -> Imitator:
    """An imitator of who made a recording, trained on all its clips.

    Args:
        recording: What was recorded.
        progress: Is told the share that is done.
        seed: Of the network and of its draws.
    """
    choices = choices_of(recording.space, recording.rows)
    net = train_action_net(recording.shown, choices, progress, AHEAD, seed) if choices else ActionNet((), AHEAD)
    return Imitator(net, recording.rows, seed)


def _last(frames: Tensor) -> Tensor:
    """The last frames; if there are too few, nothing has moved before the first."""
    lacking = max(0, AHEAD.frames - len(frames))
    return torch.cat([frames[:1].expand(lacking, -1, -1, -1), frames[-AHEAD.frames :]])


def _values(choice: Choice, rows: Rows) -> Rows:
    """For each class of a choice the numbers of its columns, float32 `[classes, columns]`."""
    values, classes = rows[:, list(choice.columns)], choice.classes(rows)
    if not choice.bounds:
        return np.eye(len(choice.labels), dtype=np.float32)[:, 1:]
    usual = np.median(values, axis=0)
    own = [values[classes == label] for label in range(len(choice.labels))]
    return np.stack([part.mean(axis=0) if len(part) else usual for part in own])
