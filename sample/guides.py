"""`Guides`: which predictions a step makes beside the one under prompt and actions; each has a row in the networks' states."""

from dataclasses import dataclass

_PROMPT, _NULL, _UNKNOWN = "prompt", "null prompt", "unknown actions"


@dataclass(frozen=True)
class Guides:
    """What guidance compares the prediction with.

    Attributes:
        text: The prediction with the null prompt, or with a negative prompt.
        action: The prediction with unknown actions.
    """

    text: bool = False
    action: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each row of a stream is for, in order; the first one is of prompt and actions."""
        return (_PROMPT, *([_NULL] if self.text else []), *([_UNKNOWN] if self.action else []))

    @property
    def rows(self) -> int:
        """Rows of a stream."""
        return len(self.kinds)

    @property
    def knowing(self) -> tuple[bool, ...]:
        """For each row, whether it knows the actions."""
        return tuple(kind != _UNKNOWN for kind in self.kinds)

    @property
    def prompted(self) -> list[int]:
        """For each row, which one of the texts it reads: 0 is the prompt, and 1 the null prompt."""
        return [int(kind == _NULL) for kind in self.kinds]

    def cover(self, others: "Guides") -> bool:
        """Whether there is a row for all that `others` have a row for."""
        return set(others.kinds) <= set(self.kinds)

    def of(self, others: "Guides") -> list[int]:
        """For each row of these, the same row of `others`; the first row stands in for what they lack."""
        return [others.kinds.index(kind) if kind in others.kinds else 0 for kind in self.kinds]


NO_GUIDES = Guides()
"""No guidance: the prediction alone."""
