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
        self._end = 0
        self.jump: tuple[int, int] | None = None
        """Where the time stamps last jumped ahead, and by how much, in ticks."""

    def shift(self, stamp: int | None, following: int | None, duration: int) -> int:
        """Ticks to add to a stamp.

        Args:
            stamp: In decoding order, in ticks; None where the file says nothing.
            following: The stamp after it.
            duration: Ticks until the one after it, by the file; 0 where it says nothing.
        """
        if stamp is None:
            return self._shift
        shift = self._shift
        if self._jumps(stamp + shift):
            shift = self._end - stamp
            if following is None or self._jumps(following + self._shift):
                self._note_jump(stamp)
                self._shift = shift
        self._last = stamp + shift
        self._end = self._last + max(duration, 1)
        return shift

    def _jumps(self, moved: int) -> bool:
        return self._last is not None and not self._last <= moved <= self._last + self._max_gap

    def _note_jump(self, stamp: int) -> None:
        assert self._last is not None
        ahead = stamp + self._shift - self._last
        if ahead > 0:
            self.jump = self._last, ahead
