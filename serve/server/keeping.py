"""Where snapshots of running streams are kept, so that another server can go on with them."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Kept:
    """The latest snapshot of a stream.

    Attributes:
        frame: Index of the first frame that the restored stream gives; the reader has all before it.
        stop: Index after the last frame that is wanted.
        data: The snapshot.
    """

    frame: int
    stop: int
    data: bytes


class SnapshotStore(Protocol):
    """Keeps the latest snapshot of each stream, and who makes its frames: its owner, who alone can replace or drop it.

    All methods raise `ConnectionError` where the store is out of reach.
    """

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """Keeps a snapshot; `False` where the stream has another owner by now. A stream is whose first snapshot it is."""

    async def claim(self, id: str, owner: str) -> Kept | None:
        """The snapshot of a stream, if there is any, which has this owner from now on."""

    async def drop(self, id: str, owner: str) -> None:
        """Forgets a stream, unless it has another owner."""


class Shelf:
    """The snapshots of streams in memory. Where there are too many, the streams that were kept longest ago are forgotten.

    Args:
        most_bytes: Of all snapshots together.
    """

    def __init__(self, most_bytes: int = 2**30):
        self._most, self._size = most_bytes, 0
        self._kept: dict[str, tuple[str, Kept]] = {}

    def owner(self, id: str) -> str | None:
        """Who makes the frames of a stream, if it is known."""
        return self._kept[id][0] if id in self._kept else None

    def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        if self.owner(id) not in (None, owner):
            return False
        self._remove(id)
        self._kept[id] = (owner, kept)
        self._size += len(kept.data)
        while self._size > self._most:
            self._remove(next(iter(self._kept)))
        return True

    def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        if id not in self._kept:
            return None
        kept = self._kept[id][1]
        self._kept[id] = (owner, kept)
        return kept

    def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        if self.owner(id) == owner:
            self._remove(id)

    def _remove(self, id: str) -> None:
        _, kept = self._kept.pop(id, ("", None))
        if kept is not None:
            self._size -= len(kept.data)


class MemoryStore:
    """A `SnapshotStore` in this process: a client whose connection broke can go on.

    Args:
        most_bytes: Of all snapshots together.
    """

    def __init__(self, most_bytes: int = 2**30):
        self.shelf = Shelf(most_bytes)

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        return self.shelf.put(id, owner, kept)

    async def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        return self.shelf.claim(id, owner)

    async def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        self.shelf.drop(id, owner)
