"""`run_server`: serves until it is told to stop."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import uvicorn

from ...machine import core_left_free
from ...sample import VideoGenerator
from .app import create_app
from .config import ServeConfig
from .folder_store import FolderStore
from .journal import open_journal
from .listening import listen
from .service import Service

_DRAIN_SECONDS = 10


class Server(uvicorn.Server):
    """A server that ends the streams before the connections: each client is told, and none loses half a frame."""

    def __init__(self, config: uvicorn.Config, service: Service, when_ready: Callable[[str], object] | None = None):
        super().__init__(config)
        self._service, self._when_ready = service, when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and says where."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            name, service = f"[{host}]" if ":" in host else host, self._service
            address = f"http://{name}:{port}"
            what = f"{service.config.title or service.generator.name} at {address} for {service.config.capacity} sessions"
            print(f"serving {what}; Ctrl-C ends", file=sys.stderr, flush=True)
            if self._when_ready is not None:
                token = "" if service.config.token is None else f"#token={service.config.token}"
                asyncio.get_running_loop().run_in_executor(None, self._when_ready, f"{address}/{token}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drains, then closes what is left."""
        await self._service.drain()
        await super().shutdown(sockets)


def make_server(service: Service, when_ready: Callable[[str], object] | None = None) -> Server:
    """A server that is not running yet; `when_ready` is told the address of its page."""
    config = service.config
    return Server(
        uvicorn.Config(
            create_app(service),
            host=config.host,
            port=config.port,
            http="h11",  # refuses endless headers
            ws="websockets-sansio",
            ws_max_size=max(config.max_snapshot, config.max_picture, 4 * config.max_text),
            ws_max_queue=8,
            ws_per_message_deflate=False,  # frames are compressed already
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        ),
        service,
        when_ready,
    )


def server_name() -> str:
    """The name of this process among the servers that share a store: its machine, its number there, and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def run_server(
    generator: VideoGenerator,
    config: ServeConfig,
    record: str | Path | None = None,
    when_ready: Callable[[str], object] | None = None,
    snapshots: str | Path | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; then what runs is ended in order.

    Args:
        generator: Makes the frames.
        config: The limits.
        record: Folder in which every stream of a world is kept as an episode; `None` keeps none.
        when_ready: Called with the address of the page once it can be opened, in a thread.
        snapshots: Folder in which snapshots of running streams outlive this server: clients go on at the next one that is started
            with it, or at another one that shares it. `None` keeps none.

    Raises:
        ValueError: The address cannot be bound to, or a folder is none to write to.
    """
    service = Service(generator, config, *([] if snapshots is None else [FolderStore(snapshots), server_name()]))
    if record is not None:
        service.archive.journal = open_journal(record, generator)
    server = make_server(service, when_ready)
    listener = listen(server.config)
    with nullcontext() if generator.action_space is None else core_left_free():
        server.run(sockets=[listener])
