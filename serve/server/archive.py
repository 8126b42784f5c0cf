"""`Archive`: what streams that have ended had made, until nobody can ask for it any more."""

import asyncio
import weakref

from .journal import Journal
from .live import LiveStream
from .recording import Recording, Run


class Archive:
    """Recordings of streams that were closed, by name.

    Args:
        run: Does work where the networks may be used.

    Attributes:
        journal: Keeps what is played for good; `None` keeps nothing.
    """

    def __init__(self, run: Run):
        self._run = run
        self.journal: Journal | None = None
        self._recordings: dict[str, Recording] = {}
        self._written: weakref.WeakSet[LiveStream] = weakref.WeakSet()
        self._tasks = set[asyncio.Task[None]]()

    def find(self, id: str) -> Recording | None:
        """What the stream of a name had made, if it is kept."""
        return self._recordings.get(id)

    def keep(self, live: LiveStream) -> None:
        """Keeps what a stream that was closed has made, until it is let go; the journal gets each stream once."""
        recording = self._recordings[live.id] = Recording.of(live.channel.stream)
        if self.journal is not None and live not in self._written:
            self._written.add(live)
            task = asyncio.create_task(self.journal.add(recording, live.channel.span.start, self._run))
            self._tasks.add(task)  # the loop itself would forget it
            task.add_done_callback(self._tasks.discard)

    def drop(self, id: str) -> None:
        """Forgets what was kept of a stream."""
        self._recordings.pop(id, None)

    async def finish(self) -> None:
        """Waits until the journal is written."""
        await asyncio.gather(*self._tasks)
