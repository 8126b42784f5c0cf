"""Time stamps that go on where a file's own start again."""


class Continuity:
    """Says by how much each time stamp is to be moved, so that time goes on where two recordings were joined.

    A stamp that lies before the last one, or further ahead than `max_gap`, is a restart if the next stamp agrees with it. A lone
    stamp out of line is put behind the last one.

    Args:
        max_gap: The longest pause between two stamps, in ticks.
    """

    def __init__(self, max_gap: float):
        self._max_gap, self._shift = max_gap, 0
        self._last: int | None = None
        self._end = -(1 << 62)
        self.jump: tuple[int, int] | None = None
        """Where the time stamps last jumped ahead, and by how much, in ticks."""

    def shift(self, decoded: int | None, shown: int | None, following: int | None, duration: int) -> int:
        """Ticks to add to the stamps of a packet.

        Args:
            decoded: When it is decoded, in ticks; None if the file says nothing.
            shown: When it is shown.
            following: When the packet after it is decoded.
            duration: Ticks that it is shown for, by the file; 0 if it says nothing.
        """
        if decoded is None:
            return self._shift
        shift = self._shift
        if self._jumps(decoded + shift):
            shift = self._end - (decoded if shown is None else shown)
            if following is None or self._jumps(following + self._shift):
                self._note_jump(decoded)
                self._shift = shift
        self._last = decoded + shift
        self._end = max(self._end, (decoded if shown is None else shown) + shift + max(duration, 1))
        return shift

    def _jumps(self, moved: int) -> bool:
        return self._last is not None and not self._last <= moved <= self._last + self._max_gap

    def _note_jump(self, stamp: int) -> None:
        assert self._last is not None
        ahead = stamp + self._shift - self._last
        if ahead > 0:
            self.jump = self._last, ahead
