"""The server's application: the page, HTTP and WebSocket, behind the guard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse

from ..protocol import messages
from ..protocol.errors import ServeError
from .guard import STATIC, Guard
from .jobs import Jobs
from .routes import make_router
from .service import Service
from .session import Session

PAGE = Path(__file__).parent.parent / "page"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""Said here, since what a machine takes a suffix for differs, and browsers run no script of another kind."""
_FRESH = {"Cache-Control": "no-cache"}  # a new server must not meet an old page


def create_app(service: Service, beside: Callable[[], Coroutine[Any, Any, None]] | None = None) -> FastAPI:
    """The application of a service, which it starts and ends.

    Args:
        service: What it serves.
        beside: What else is to run all the while.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        service.engine.start()
        task = None if beside is None else asyncio.create_task(beside())
        yield
        await jobs.close()
        await service.drain()
        if task is not None:
            task.cancel()

    jobs = Jobs(service)
    app = FastAPI(title="Framecast", version=str(messages.VERSION), lifespan=life, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, config=service.config)
    app.add_exception_handler(ServeError, _explain(service))
    app.add_exception_handler(RequestValidationError, _explain(service))
    app.include_router(make_router(service, jobs))
    add_page(app)

    @app.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        await Session(socket, service).run()

    return app


def add_page(app: FastAPI) -> None:
    """Adds the page and its files, and what is said of every other path."""

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return _page_file("index.html")

    @app.get(STATIC + "{name}", include_in_schema=False)
    async def file(name: str) -> FileResponse:
        return _page_file(name)

    @app.get("/{name}", include_in_schema=False)
    async def nothing(name: str) -> None:
        raise ServeError("not_found", f"there is no page {name[:100]!r}; see / and /openapi.json")


def _page_file(name: str) -> FileResponse:
    path = PAGE / name
    if path.suffix not in _KINDS or path not in PAGE.iterdir():
        raise ServeError("not_found", f"there is no page {name[:100]!r}; see / and /openapi.json")
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=_FRESH)


def _explain(service: Service):
    async def explain(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, RequestValidationError):
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"])
            error = ServeError("bad_message", f"got a request with a problem at {place}: {problem['msg']}; see /openapi.json")
        assert isinstance(error, ServeError)
        service.metrics.refused.labels(error.code).inc()
        headers = {"Retry-After": "5"} if error.status == 503 else {}
        return JSONResponse(error.body, error.status, headers)

    return explain
