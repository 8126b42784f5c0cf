"""`counted`: a number with its noun."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Such as "1 clip" or "1,200 clips"; a noun that takes no s has a `plural`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"
