"""`counted`: a number with its noun."""


def counted(number: int, noun: str) -> str:
    """Such as "1 clip" or "1,200 clips"; the noun is one that takes an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
