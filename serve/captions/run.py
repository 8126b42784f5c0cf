"""`run_editor`: serves the page that mends captions until it is told to stop."""

import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from ..server.config import ServeConfig
from ..server.listening import listen
from .app import create_captions_app
from .book import CaptionBook

PORT = 8000


def run_editor(
    folder: Path,
    include: Sequence[str] = ("*",),
    port: int | None = None,
    token: str | None = None,
    when_ready: Callable[[str], object] | None = None,
) -> None:
    """Serves the captions of a folder to this machine alone, until SIGINT or SIGTERM.

    Args:
        folder: The folder of the videos.
        include: Patterns of paths below the folder.
        port: Port of the page; 0 takes a free one, None is 8000.
        token: What the page has to show; None makes one, so that no other user of this machine can write.
        when_ready: Called with the address of the page once it can be opened, in a thread.

    Raises:
        ValueError: The address cannot be bound to, the token is short, or there is no video.
    """
    token = secrets.token_urlsafe(18) if token is None else token
    config = ServeConfig(port=PORT if port is None else port, token=token)
    app = create_captions_app(CaptionBook(folder, include), config)
    settings = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        http="h11",
        ws="none",
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )
    listener = listen(settings)
    address = f"http://{config.host}:{listener.getsockname()[1]}/#token={token}"
    print(f"captions of {folder} at {address}; Ctrl-C ends", file=sys.stderr, flush=True)
    if when_ready is not None:
        threading.Timer(0.5, when_ready, [address]).start()
    uvicorn.Server(settings).run(sockets=[listener])
