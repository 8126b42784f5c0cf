"""Words of the report about worlds."""


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 clip", "2,000 frames"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
