"""Values of the kinds that are wanted, whatever they came as; imports nothing, so that every file can check with it."""

import operator
import os
from math import inf
from pathlib import Path


def shown(value: object, most: int = 80) -> str:
    """The first letters of a value of any kind, as an error shows it; also of one that cannot show itself."""
    try:
        return repr(value)[:most]
    except Exception:  # whatever the code of others raises; Python itself does so for numbers of more than 4,300 digits
        return f"a value of {type(value).__name__}"


def whole(name: str, value: object, least: float, most: float, wanted: str) -> int:
    """A whole number of any kind, such as numpy's, as Python's.

    Raises:
        ValueError: It is none, a truth value, or not from `least` to `most`.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = None
    if number is None or isinstance(value, bool) or not least <= number <= most:
        raise ValueError(f"got {name} {shown(value)}; wanted {wanted}")
    return number


def real(name: str, value: object, least: float, most: float, wanted: str) -> float:
    """A number of any kind, as Python's; a whole one stays whole. Raises ValueError as `whole` does, and for NaN."""
    number = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not least <= number <= most:
        raise ValueError(f"got {name} {shown(number)}; wanted {wanted}")
    return number


def truth(name: str, value: object) -> bool:
    """A yes or no.

    Raises:
        ValueError: If it is something else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"got {name} {shown(value)}; wanted True or False")
    return value


def as_path(value: object, what: str = "a path") -> Path:
    """A path of a text or a path.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(value, (str, os.PathLike)) or isinstance(value, bytes):
        raise ValueError(f"got {value!r:.80} as {what}; wanted a path, as a text or a `Path`")
    return Path(value)


def sides(name: str, value: object) -> tuple[int, int]:
    """Rows and columns; one number stands for a square.

    Raises:
        ValueError: It is neither one nor two whole numbers of at least 1.
    """
    wanted = "(rows, columns) or one number, each a whole number of at least 1"
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    try:
        rows, columns = (whole(name, side, 1, inf, wanted) for side in pair)
    except ValueError:
        raise ValueError(f"got {name} {value!r:.80}; wanted {wanted}") from None
    return rows, columns
