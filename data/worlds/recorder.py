"""`record`: many episodes of an environment into a folder, by several processes, and further where it stopped."""

import math
import warnings
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path

from ...notices import Notice
from ..kinds import real, whole
from .packages import WorldError
from .players import Play, Player, Written, policies_of
from .playing import PolicyError
from .policies import Policy
from .recording import RecordingWriter, Row, episode_name
from .spec import WorldSpec
from .workers import Death, Refusal, Workers

_ATTEMPTS, _MOST_FAILURES, _MOST_WORKERS, _MOST_MINUTES = 2, 3, 256, 10**7


def record(
    folder: str | Path,
    spec: WorldSpec,
    play: Play,
    *,
    episodes: int | None = None,
    minutes: float | None = None,
    workers: int = 1,
    lossless: bool = False,
    policy: Policy | None = None,
) -> Generator[Row, None, None]:
    """Records until there are so many episodes, or so many minutes; yields the line of each as it counts.

    What is recorded depends on the environment and `play` alone, and not on the number of processes or on stops in between. An
    environment is open until the last line, or until the generator is closed.

    Args:
        folder: Where to record; a recording of the same settings goes on.
        spec: The environment.
        play: How it is played.
        episodes: How many episodes there shall be, with those of before.
        minutes: Or how many minutes of video.
        workers: Processes that play at once; 1 plays in this one.
        lossless: Whether videos keep every pixel.
        policy: Plays in place of the policy that `play` names, such as a person; in this process alone.

    Raises:
        PolicyError: The policy failed. What was whole of its episode is kept.
        WorldError: The environment failed in three episodes on end. What was whole of them is kept.
        ValueError: A value is out of range, or the folder holds something else.
    """
    if (episodes is None) == (minutes is None):
        raise ValueError(f"got episodes {episodes} and minutes {minutes}; wanted one of the two, to know when to stop")
    limit = _Limit(episodes, minutes)
    whole("workers", workers, 1, _MOST_WORKERS, f"1 to {_MOST_WORKERS} processes")
    if policy is None:
        policies_of(spec, play)  # says at once what is wrong
    elif workers > 1:
        raise ValueError(f"got {workers} workers and a policy of this process; wanted 1 worker, which is this process")
    with RecordingWriter(folder, spec.action_space, spec.fps, spec, asdict(play), lossless) as writer:
        if limit.is_reached(writer):
            return
        recording, arguments = _Recording(writer, limit, play.caption), (writer.folder, spec, play, lossless)
        if workers == 1:
            yield from recording.alone(Player(*arguments, policy=policy))
        else:
            yield from recording.shared(Workers(workers, Player, arguments), workers)


class _Limit:
    """When a recording is long enough."""

    def __init__(self, episodes: int | None, minutes: float | None):
        self._episodes = None if episodes is None else whole("episodes", episodes, 1, math.inf, "1 or more episodes")
        self._minutes = (
            None
            if minutes is None
            else real("minutes", minutes, 1e-6, _MOST_MINUTES, f"minutes above 0 and at most {_MOST_MINUTES:,}")
        )

    def is_reached(self, writer: RecordingWriter) -> bool:
        if self._episodes is not None:
            return len(writer.rows) >= self._episodes
        assert self._minutes is not None
        return writer.num_frames >= self._minutes * 60 * writer.fps


class _Recording:
    """Lets episodes count in the order of their numbers, whichever is ready first."""

    def __init__(self, writer: RecordingWriter, limit: _Limit, caption: str):
        self._writer, self._limit, self._caption = writer, limit, caption
        self._next = 1 + max((int(name.split("_")[-1]) for name in writer.names), default=-1)
        self._begun, self._again = self._next, list[int]()
        self._ready: dict[int, Written] = {}
        self._deaths: Counter[int] = Counter()
        self._failures = 0

    def alone(self, player: Player) -> Iterator[Row]:
        """Plays in this process until there is enough."""
        try:
            while not self._limit.is_reached(self._writer):
                self._ready[self._next] = player(self._next)
                yield from self._count()
        finally:
            player.close()

    def shared(self, crew: Workers[Written], workers: int) -> Iterator[Row]:
        """Plays in others until there is enough."""
        try:
            while not self._limit.is_reached(self._writer):
                self._assign(crew, ahead=2 * workers)
                for number, result in crew.results():
                    self._take(number, result)
                yield from self._count()
        finally:
            crew.close()
            self._remove_beyond()

    def _assign(self, crew: Workers[Written], ahead: int) -> None:
        """Gives numbers to all who have nothing to do; those ahead of the first that lacks are few, as they may be in vain."""
        while crew.has_room and (self._again or self._begun < self._next + ahead):
            if self._again:
                crew.call(self._again.pop())
            else:
                crew.call(self._begun)
                self._begun += 1

    def _take(self, number: int, result: Written | Death | Refusal) -> None:
        if isinstance(result, Written):
            self._ready[number] = result
        elif isinstance(result, Refusal):
            raise WorldError(result.reason)
        else:
            self._mourn(number, result)

    def _mourn(self, number: int, death: Death) -> None:
        """An episode whose process died is played once more, in a new process."""
        said = f"the process that played {episode_name(number)} ended in the middle of it (exit code {death.exit_code})"
        self._deaths[number] += 1
        if self._deaths[number] < _ATTEMPTS:
            warnings.warn(Notice(f"{said}; the episode is played once more"), stacklevel=2)
            self._again.append(number)
        else:
            self._ready[number] = Written(None, f"{said}, {_ATTEMPTS} times")

    def _count(self) -> Iterator[Row]:
        """Lets those count whose turn has come."""
        while self._next in self._ready and not self._limit.is_reached(self._writer):
            written = self._ready.pop(self._next)
            self._next += 1
            if written.row is not None:
                self._writer.append(written.row, self._caption)
                yield written.row
            self._judge(episode_name(self._next - 1), written)

    def _judge(self, name: str, written: Written) -> None:
        if written.fault is None:
            self._failures = 0
            return
        kept = "nothing of it is kept" if written.row is None else f"its first {written.row['num_frames']} frames are kept"
        said = f"{name}: {written.fault}; {kept}"
        self._failures += 1
        if written.is_policy:
            raise PolicyError(said)
        if self._failures >= _MOST_FAILURES:
            raise WorldError(f"got {self._failures} episodes on end that failed; the last is {said}")
        warnings.warn(Notice(f"{said}; the next episode begins in a new environment"), stacklevel=2)

    def _remove_beyond(self) -> None:
        """Removes the files of episodes that came after the last that counts."""
        for number in range(self._next, self._begun):
            for path in self._writer.folder.glob(f"{episode_name(number)}.*"):
                path.unlink(missing_ok=True)
