"""`Host`: what a live stream needs of its server."""

import secrets
from dataclasses import dataclass

from ..engine.engine import Engine
from ..protocol.errors import ServeError
from .metrics import Metrics
from .store import Kept, SnapshotStore


@dataclass(frozen=True)
class Host:
    """What a live stream needs of its server.

    Attributes:
        engine: Makes the frames.
        metrics: Counts them.
        store: Where snapshots are kept; `None` keeps none.
        snapshot_every: Latent frames between two snapshots.
        idle_seconds: How long a stream plays for nobody.
        name: The server's name among those that share the store.
    """

    engine: Engine
    metrics: Metrics
    store: SnapshotStore | None
    snapshot_every: int
    idle_seconds: float
    name: str

    async def claim(self, id: str, owner: str) -> Kept | None:
        """The snapshot of a stream, which has another owner from now on; `None` if there is none.

        Raises:
            ServeError: The store is out of reach.
        """
        if self.store is None:
            return None
        try:
            return await self.store.claim(id, owner)
        except ConnectionError as error:
            raise ServeError("draining", "snapshots are out of reach; connect again later") from error

    def new_owner(self) -> str:
        """A name for who makes the frames of a stream: the server's, and one that no other stream has."""
        return f"{self.name}/{secrets.token_hex(8)}"
