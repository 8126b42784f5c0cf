"""Code of others: how it fails, and functions of theirs by name."""

import importlib
from collections.abc import Callable
from typing import Any

from ..notices import Stopped

FAILURES: tuple[type[BaseException], ...] = (Exception, SystemExit)
"""What the code of others raises if it fails; some of it ends the process. `Stopped` is not meant, and passes."""
_MOST_LETTERS = 300


def told(error: BaseException) -> str:
    """What the code of others raised, in one line of at most some hundred letters, such as "RuntimeError: no track".

    Raises:
        Stopped: The error is that, and no failure: the process shall end.
    """
    if isinstance(error, Stopped):
        raise error
    said = "".join(sign for sign in " ".join(str(error)[: 4 * _MOST_LETTERS].split()) if sign.isprintable())
    said = said if len(said) <= _MOST_LETTERS else f"{said[: _MOST_LETTERS - 3]}..."
    return f"{type(error).__name__}: {said or 'no reason given'}"


def callable_named(name: str, what: str, wanted: str) -> Callable[..., Any]:
    """What `package.module:attribute` stands for; the module is imported.

    Args:
        name: The name.
        what: What kind of thing it names, such as "policy", for errors.
        wanted: What was wanted, for errors.

    Raises:
        ValueError: The name has another form, there is no such module or attribute, the module fails, or it cannot be called.
    """
    got = f"got {what} {name!r:.80}"
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"{got}; {wanted}")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ValueError(f"{got}, and there is no module {error.name}; is it on PYTHONPATH?") from error
    except AttributeError as error:
        raise ValueError(f"{got}, and {module} has no {attribute}; {wanted}") from error
    except FAILURES as error:
        raise ValueError(f"{got}, whose module failed: {told(error)}; mend {module}") from error
    if not callable(found):
        raise ValueError(f"{got}, which cannot be called; {wanted}")
    return found
