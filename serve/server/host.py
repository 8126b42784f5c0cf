"""`Host`: what a live stream needs of its server."""

import secrets
from dataclasses import dataclass

from ..engine.engine import Engine
from .metrics import Metrics
from .store import SnapshotStore


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

    def new_owner(self) -> str:
        """A name for who makes the frames of a stream: the server's, and one that no other stream has."""
        return f"{self.name}/{secrets.token_hex(8)}"
