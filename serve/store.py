"""Where snapshots of running streams are kept, so that another server can go on with them."""

from typing import Protocol

_MOST = 16  # snapshots of one stream


class SnapshotStore(Protocol):
    """Keeps the latest snapshots of streams."""

    async def put(self, id: str, frame: int, snapshot: bytes, confirmed: int) -> None:
        """Keeps a snapshot whose stream goes on with `frame`; the reader has all frames before `confirmed`."""

    async def get(self, id: str, frame: int) -> tuple[int, bytes] | None:
        """The latest snapshot that goes on with `frame` or an earlier one, if there is any."""

    async def drop(self, id: str) -> None:
        """Forgets a stream."""


class Shelf:
    """The snapshots of streams in memory; of each stream those that its reader may still need.

    Args:
        most_streams: Of more streams the oldest are forgotten.
    """

    def __init__(self, most_streams: int = 64):
        self._most, self._kept = most_streams, dict[str, dict[int, bytes]]()

    def put(self, id: str, frame: int, snapshot: bytes, confirmed: int) -> None:
        """As `SnapshotStore.put`."""
        kept = self._kept.pop(id, {}) | {frame: snapshot}
        needed = max((place for place in kept if place <= confirmed), default=0)
        self._kept[id] = {place: kept[place] for place in sorted(kept)[-_MOST:] if place >= needed}
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def get(self, id: str, frame: int) -> tuple[int, bytes] | None:
        """As `SnapshotStore.get`."""
        kept = self._kept.get(id, {})
        place = max((place for place in kept if place <= frame), default=None)
        return None if place is None else (place, kept[place])

    def drop(self, id: str) -> None:
        """As `SnapshotStore.drop`."""
        self._kept.pop(id, None)


class MemoryStore:
    """A `SnapshotStore` in this process: a client whose connection broke can go on."""

    def __init__(self, most_streams: int = 64):
        self._shelf = Shelf(most_streams)

    async def put(self, id: str, frame: int, snapshot: bytes, confirmed: int) -> None:
        """As `SnapshotStore.put`."""
        self._shelf.put(id, frame, snapshot, confirmed)

    async def get(self, id: str, frame: int) -> tuple[int, bytes] | None:
        """As `SnapshotStore.get`."""
        return self._shelf.get(id, frame)

    async def drop(self, id: str) -> None:
        """As `SnapshotStore.drop`."""
        self._shelf.drop(id)
