"""`run_server`: serves until it is told to stop."""

import socket
import sys

import uvicorn

from ...sample import VideoGenerator
from .app import create_app
from .config import ServeConfig
from .service import Service

_DRAIN_SECONDS = 10


class Server(uvicorn.Server):
    """A server that ends the streams before the connections: each client is told, and none loses half a frame."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, and says where."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            name, service = f"[{host}]" if ":" in host else host, self._service
            what = f"{service.generator.name} at http://{name}:{port} for {service.config.capacity} sessions"
            print(f"serving {what}; Ctrl-C ends", file=sys.stderr, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drains, then closes what is left."""
        await self._service.drain()
        await super().shutdown(sockets)


def make_server(service: Service) -> Server:
    """A server that is not running yet."""
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
    )


def run_server(generator: VideoGenerator, config: ServeConfig) -> None:
    """Serves until SIGINT or SIGTERM; then what runs is ended in order.

    Raises:
        ValueError: The address cannot be bound to.
    """
    server = make_server(Service(generator, config))
    try:
        listener = server.config.bind_socket()
    except (OSError, SystemExit) as error:
        raise ValueError(
            f"cannot serve at {config.host}:{config.port} ({error}); is the port taken? choose another --port"
        ) from error
    server.run(sockets=[listener])
