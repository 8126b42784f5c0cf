"""`play_at_page`: the page of an environment that a person plays while it is recorded."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse

from ...data.worlds import WorldSpec
from ..protocol.bodies import Info, WordsReply
from ..protocol.errors import ServeError
from .app import add_page
from .config import ServeConfig
from .guard import Guard
from .listening import listen
from .page_player import PagePlayer
from .true_session import TrueSession, info_of

_SECONDS = 10.0  # for a server to begin, and to end


def true_app(player: PagePlayer, spec: WorldSpec, caption: str, config: ServeConfig) -> FastAPI:
    """The page, its WebSocket, and what it asks by HTTP."""
    app = FastAPI(title="Framecast", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, config=config)

    @app.exception_handler(ServeError)
    async def explain(request: Request, error: ServeError) -> JSONResponse:
        return JSONResponse(error.body, error.status)

    @app.get("/v1/info", response_model_exclude_none=True)
    async def info() -> Info:
        return info_of(spec, caption)

    @app.get("/v1/words")
    async def words() -> WordsReply:
        return WordsReply(words=None)

    @app.get("/v1/streams/{rest:path}")
    async def streams(rest: str) -> None:
        raise ServeError("not_found", "an environment is played here; each episode is in the folder of the recording")

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await TrueSession(socket, player, spec, caption).run()

    add_page(app)
    return app


@contextmanager
def play_at_page(spec: WorldSpec, caption: str = "", port: int = 8000) -> Iterator[tuple[PagePlayer, str]]:
    """Serves the page of an environment, on this machine alone, in a thread; gives the policy and the page's address.

    Args:
        spec: The environment.
        caption: What its frames show.
        port: Of the page; 0 takes a free one.

    Raises:
        ValueError: The port is taken.
    """
    config, player = ServeConfig(port=port), PagePlayer(spec.action_space, spec.fps)
    app = true_app(player, spec, caption, config)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=config.host, port=port, http="h11", ws="websockets-sansio", log_level="warning", timeout_graceful_shutdown=1
        )
    )
    listener = listen(server.config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    begun = time.monotonic()
    while not server.started and thread.is_alive() and time.monotonic() < begun + _SECONDS:
        time.sleep(0.01)
    try:
        yield player, f"http://{config.host}:{listener.getsockname()[1]}/"
    finally:
        player.finish()
        server.should_exit = True
        thread.join(_SECONDS)
        listener.close()
