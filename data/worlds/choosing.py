"""`policy_maker`: policies by their names."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import cast

from ..actions import ActionSpace
from .drivers import Driver, Walker, Weaver
from .packages import FAILURES, told
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
    return DRIVERS[name] if name in DRIVERS else _loaded(name)


def _check_shares(space: ActionSpace, on: Mapping[str, float]) -> None:
    buttons = space.names[: len(space.buttons)]
    wrong = [f"{name} {share!r}" for name, share in on.items() if name not in buttons or not 0 <= share <= 1]
    if wrong:
        raise ValueError(
            f"got {', '.join(wrong)} as how likely a button is on; wanted a share from 0 to 1 for some of "
            f"{', '.join(buttons) or 'no buttons at all'}"
        )


def _loaded(name: str) -> Callable[[], Policy]:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"got policy {name!r:.80}; {_WANTED}")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ValueError(f"got policy {name!r:.80}, and there is no module {error.name}; is it on PYTHONPATH?") from error
    except AttributeError as error:
        raise ValueError(f"got policy {name!r:.80}, and {module} has no {attribute}; {_WANTED}") from error
    except FAILURES as error:
        raise ValueError(f"got policy {name!r:.80}, whose module failed: {told(error)}; mend {module}") from error
    if not callable(found):
        raise ValueError(f"got policy {name!r:.80}, which cannot be called; {_WANTED}")
    return cast(Callable[[], Policy], found) if inspect.isclass(found) else lambda: found
