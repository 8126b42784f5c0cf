"""`policy_maker`: policies by their names."""

import inspect
from collections.abc import Callable, Mapping
from typing import cast

from ..actions import ActionSpace
from ..foreign import callable_named
from .drivers import Driver, Walker, Weaver
from .policies import Held, Policy, Random

DRIVERS: dict[str, Callable[[], Policy]] = {"driver": Driver, "weaver": Weaver, "walker": Walker}
"""Those that know a world."""
NAMES = ("held", "random", *DRIVERS)
_WANTED = f'wanted {", ".join(NAMES)}, or "module:function", which is called with frame, previous action, rng and world'


def policy_maker(name: str, space: ActionSpace, on: Mapping[str, float], hold: float = 0.5) -> Callable[[], Policy]:
    """What makes the policy of an episode.

    Args:
        name: One of `NAMES`, or "module:function"; a class is made anew for each episode.
        space: What actions there are.
        on: How likely each button is on, for "random" and "held"; what is not named is drawn evenly.
        hold: How long "held" holds something, in seconds, in the mean.

    Raises:
        ValueError: There is no such policy, or no such button.
    """
    _check_shares(space, on)
    if name == "random":
        return lambda: Random(on)
    if name == "held":
        return lambda: Held(on, hold)
    return DRIVERS[name] if name in DRIVERS else _made_by(name)


def _check_shares(space: ActionSpace, on: Mapping[str, float]) -> None:
    buttons = space.names[: len(space.buttons)]
    wrong = [f"{name} {share!r}" for name, share in on.items() if name not in buttons or not 0 <= share <= 1]
    if wrong:
        raise ValueError(
            f"got {', '.join(wrong)} as how likely a button is on; wanted a share from 0 to 1 for some of "
            f"{', '.join(buttons) or 'no buttons at all'}"
        )


def _made_by(name: str) -> Callable[[], Policy]:
    found = callable_named(name, "policy", _WANTED)
    return cast(Callable[[], Policy], found) if inspect.isclass(found) else lambda: found
