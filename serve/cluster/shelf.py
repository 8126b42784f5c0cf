"""`Shelf`: the snapshots of streams in memory."""

from ..server.store import Kept


class Shelf:
    """A `SnapshotStore` in memory. If there are too many snapshots, the streams that were kept longest ago are forgotten.

    Args:
        most_bytes: Of all snapshots together.
    """

    def __init__(self, most_bytes: int = 2**30):
        self._most, self._size = most_bytes, 0
        self._kept: dict[str, tuple[str, Kept]] = {}

    def owner(self, id: str) -> str | None:
        """Who makes the frames of a stream, if it is known."""
        return self._kept[id][0] if id in self._kept else None

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        if self.owner(id) not in (None, owner):
            return False
        self._remove(id)
        self._kept[id] = (owner, kept)
        self._size += len(kept.data)
        while self._size > self._most:
            self._remove(next(iter(self._kept)))
        return True

    async def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        if id not in self._kept:
            return None
        kept = self._kept[id][1]
        self._kept[id] = (owner, kept)
        return kept

    async def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        if self.owner(id) == owner:
            self._remove(id)

    def _remove(self, id: str) -> None:
        _, kept = self._kept.pop(id, ("", None))
        if kept is not None:
            self._size -= len(kept.data)
