"""`SnapshotStore`: where snapshots of running streams are kept, so that another server can go on with them."""

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

    All methods raise `ConnectionError` if the store is out of reach.
    """

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """Keeps a snapshot; `False` if the stream has another owner by now. A stream is whose first snapshot it is."""

    async def claim(self, id: str, owner: str) -> Kept | None:
        """The snapshot of a stream, if there is any, which has this owner from now on."""

    async def drop(self, id: str, owner: str) -> None:
        """Forgets a stream, unless it has another owner."""
