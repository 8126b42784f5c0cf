"""`Keeper`: what the servers of a cluster share - the snapshots of their streams, and letters from one to another."""

import asyncio
import itertools
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ..server.store import Kept, SnapshotStore
from .shelf import Shelf

_POLL_SECONDS, _GONE_SECONDS, _ANSWER_SECONDS = 1.0, 2.5, 10.0


@dataclass(frozen=True)
class Letter:
    """What one server asks another.

    Attributes:
        number: Comes back with the answer.
        what: What is asked for.
        id: Of which stream.
        arguments: Whatever that takes.
    """

    number: int
    what: str
    id: str
    arguments: tuple[Any, ...]


class Keeper(Shelf):
    """A shelf that all servers share, and which hands letters and answers on; lives in one event loop.

    Args:
        most_bytes: Of all snapshots together.
    """

    def __init__(self, most_bytes: int = 2**30):
        super().__init__(most_bytes)
        self._numbers = itertools.count(1)
        self._boxes: defaultdict[str, asyncio.Queue[Letter]] = defaultdict(asyncio.Queue)
        self._seen: dict[str, float] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def home(self, id: str) -> tuple[str, bool] | None:
        """The name of the server that has a stream, and whether it lives; `None` if the stream is not known."""
        owner = self.owner(id)
        if owner is None:
            return None
        name = owner.partition("/")[0]
        return name, time.monotonic() - self._seen.get(name, -_GONE_SECONDS) < _GONE_SECONDS

    async def receive(self, name: str) -> Letter | None:
        """The next letter to a server, which has to ask again and again to be taken for alive; `None` if none came."""
        self._seen[name] = time.monotonic()
        for gone in [other for other, seen in self._seen.items() if seen < self._seen[name] - 10 * _GONE_SECONDS]:
            del self._seen[gone]
            self._boxes.pop(gone, None)
        try:
            return await asyncio.wait_for(self._boxes[name].get(), _POLL_SECONDS)
        except TimeoutError:
            return None

    async def ask(self, name: str, what: str, id: str, *arguments: Any) -> Any:
        """Sends a letter to a server, and returns its answer.

        Raises:
            TimeoutError: None came.
        """
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._boxes[name].put_nowait(Letter(number, what, id, arguments))
        try:
            return await asyncio.wait_for(answer, _ANSWER_SECONDS)
        finally:
            del self._answers[number]

    async def answer(self, number: int, result: Any) -> None:
        """Answers a letter, if someone still waits for that."""
        waiting = self._answers.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)


class Line(Protocol):
    """How a server talks to the keeper."""

    async def __call__(self, method: str, *arguments: Any) -> Any:
        """Calls a method of the keeper.

        Raises:
            ConnectionError: The keeper is out of reach.
        """


class ClusterStore:
    """A `SnapshotStore` that the servers of a cluster share.

    Args:
        line: Where the keeper is.
    """

    def __init__(self, line: Line):
        self._line = line

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        return await self._line("put", id, owner, kept)

    async def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        return await self._line("claim", id, owner)

    async def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        await self._line("drop", id, owner)


class LastingStore:
    """A `SnapshotStore` that outlives the keeper: snapshots lie in another store, and the keeper knows where streams are.

    Args:
        store: Where the snapshots lie; all servers of the cluster reach it.
        line: Where the keeper is; while it is out of reach, streams are kept and recovered all the same.
    """

    def __init__(self, store: SnapshotStore, line: Line):
        self._store, self._keeper = store, ClusterStore(line)

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        is_owner = await self._store.put(id, owner, kept)
        if is_owner:
            with suppress(ConnectionError):
                await self._keeper.put(id, owner, Kept(kept.frame, kept.stop, b""))
        return is_owner

    async def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        kept = await self._store.claim(id, owner)
        with suppress(ConnectionError):
            await self._keeper.claim(id, owner)
        return kept

    async def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        await self._store.drop(id, owner)
        with suppress(ConnectionError):
            await self._keeper.drop(id, owner)
