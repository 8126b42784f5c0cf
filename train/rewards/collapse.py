"""Whether a policy that learns from rewards still makes what is worth a reward, or has collapsed."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import mean


class PolicyCollapse(RuntimeError):
    """The policy makes one thing only, or has left what it learned from true clips."""


@dataclass(frozen=True)
class Limits:
    """When a run ends: entropy and diversity against the first `window` steps whose groups share no latent frames."""

    entropy: float = 0.3
    """Least share of the entropy of a token; 0 never ends a run."""
    diversity: float = 0.5
    """Least share of the tokens in which two clips of a group differ; 0 never ends a run."""
    true_nats: float = 1.15
    """Most nats a token of true clips, as a factor of what the bundle that the run began with takes for the same clips;
    infinite never ends a run."""
    window: int = 20
    """Steps whose mean is looked at."""

    def __post_init__(self) -> None:
        if not 0 <= self.entropy < 1 or not 0 <= self.diversity < 1 or self.true_nats <= 1 or self.window < 1:
            raise ValueError(f"got {self}; wanted entropy and diversity in [0, 1), true_nats above 1 and window of at least 1")


@dataclass(frozen=True)
class Health:
    """What a step says of the policy.

    Attributes:
        entropy: Nats of a token that it draws, as it draws them.
        diversity: Share of the tokens in which two clips of a group differ.
        true_nats: Nats a token of true clips.
        start_nats: Those of the same clips by what the run began with.
    """

    entropy: float
    diversity: float
    true_nats: float
    start_nats: float


_ADVICE = {
    "entropy": "lower `model.init_args.optimizer.learning_rate`, or raise `model.init_args.true_weight` or `kl_weight`",
    "diversity": "lower `model.init_args.optimizer.learning_rate`, raise `true_weight`, or see whether one clip cheats",
    "true_nats": "raise `model.init_args.true_weight` or `kl_weight`, or lower `model.init_args.optimizer.learning_rate`",
}


class CollapseWatch:
    """Compares the last steps with the first ones.

    Args:
        limits: When the policy has collapsed.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.first: list[Health] = []
        self.last: deque[Health] = deque(maxlen=limits.window)

    def note(self, health: Health, step: int) -> None:
        """Takes notice of a step.

        Raises:
            PolicyCollapse: A measure has passed its limit; the message says what to change.
        """
        if len(self.first) < self.limits.window:
            self.first.append(health)
            return
        self.last.append(health)
        if len(self.last) < self.limits.window:
            return
        for name, advice in _ADVICE.items():
            limit, now = getattr(self.limits, name), self._mean(name, self.last)
            most = name == "true_nats"
            before = self._mean("start_nats", self.last) if most else self._mean(name, self.first)
            if (now > limit * before) if most else (now < limit * before):
                raise PolicyCollapse(
                    f"the policy has collapsed: at step {step} its {name.replace('_', ' ')} is {now:.3g}, and was {before:.3g} "
                    f"at first; wanted {'at most' if most else 'at least'} {limit:g} of that; {advice}, and begin again from the "
                    "bundle; what was learned up to the last checkpoint is kept"
                )

    @staticmethod
    def _mean(name: str, steps: Iterable[Health]) -> float:
        return mean(getattr(each, name) for each in steps)

    def state(self) -> dict[str, list[dict[str, float]]]:
        """As plain values."""
        return {"first": [asdict(each) for each in self.first], "last": [asdict(each) for each in self.last]}

    def load(self, state: dict[str, list[dict[str, float]]]) -> None:
        """Goes on from `state`."""
        self.first = [Health(**each) for each in state["first"]]
        self.last = deque((Health(**each) for each in state["last"]), maxlen=self.limits.window)
