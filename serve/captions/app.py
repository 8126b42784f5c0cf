"""The application of the page that mends captions: the page, the captions as JSON, pictures and videos, behind the guard."""

import math
import re
import secrets
from pathlib import Path
from typing import Any

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response

from ...data import VideoError
from ...data.files import WriteError
from ..protocol.errors import ServeError
from ..server.app import PAGE
from ..server.config import ServeConfig
from ..server.guard import STATIC, Guard
from .book import CaptionBook, Conflict
from .strips import PICTURES, Strips

OWN = Path(__file__).parent / "page"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FRESH = {"Cache-Control": "no-cache"}
_VIDEOS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska"}


def create_captions_app(book: CaptionBook, config: ServeConfig, strips: Strips | None = None) -> FastAPI:
    """The application of a folder's captions.

    Args:
        book: The captions.
        config: Who may reach them.
        strips: Where pictures come from.
    """
    app = FastAPI(title="Framecast captions", docs_url=None, redoc_url=None, openapi_url=None)
    key = secrets.token_urlsafe(
        16
    )  # players and pictures cannot send a token, so their addresses hold a name that nobody guesses
    app.add_middleware(Guard, config=config, watched=re.compile(rf"/media/{re.escape(key)}/(video|strip|frame)"))
    for kind in (ServeError, RequestValidationError, VideoError, WriteError, Conflict):
        app.add_exception_handler(kind, _explain)
    _add_page(app)
    _add_captions(app, book, key)
    _add_media(app, book, strips or Strips(), key)
    return app


def _add_page(app: FastAPI) -> None:
    """The page with its own files, and those that it shares with the page of streams."""

    @app.get("/")
    def page() -> FileResponse:
        return _file(OWN / "index.html")

    @app.get(STATIC + "{name}")
    def static(name: str) -> FileResponse:
        for folder in (OWN, PAGE):
            path = folder / name
            if path.suffix in _KINDS and path.suffix != ".html" and path in folder.iterdir():
                return _file(path)
        raise ServeError("not_found", f"there is no page {name[:100]!r}; see /")


def _file(path: Path) -> FileResponse:
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=_FRESH)


def _add_captions(app: FastAPI, book: CaptionBook, key: str) -> None:
    @app.get("/v1/folder")
    def folder() -> dict[str, Any]:
        return {"folder": str(book.folder), "media": f"/media/{key}", "pictures": PICTURES}

    @app.get("/v1/videos")
    def videos(start: int = 0, count: int = 50, show: str = "all", find: str = "") -> dict[str, Any]:
        return book.page(start, count, show, find)

    @app.get("/v1/video")
    def video(file: str) -> dict[str, Any]:
        return book.video(file)

    @app.put("/v1/video")
    def save(file: str, told: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008  FastAPI's way
        version = told.get("version")
        if not isinstance(version, str) or set(told) != {"version", "captions"}:
            raise ServeError("bad_message", f'got {", ".join(sorted(told))[:80]}; wanted "version" and "captions"')
        return book.save(file, version, told["captions"])


def _add_media(app: FastAPI, book: CaptionBook, strips: Strips, key: str) -> None:
    @app.get(f"/media/{key}/video")
    def video(file: str) -> FileResponse:
        path = book.path_of(file)
        if not path.is_file():
            raise ServeError("not_found", f"the video {file[:100]!r} is not there any more")
        return FileResponse(path, media_type=_VIDEOS.get(path.suffix.lower(), "application/octet-stream"))

    @app.get(f"/media/{key}/strip")
    def strip(file: str) -> Response:
        return Response(strips.strip(book.path_of(file)), media_type="image/jpeg", headers=_FRESH)

    @app.get(f"/media/{key}/frame")
    def frame(file: str, at: float) -> Response:
        if not (math.isfinite(at) and at >= 0):
            raise ServeError("bad_message", f"got the moment {at}; wanted seconds of 0 or more")
        return Response(strips.frame(book.path_of(file), at), media_type="image/jpeg")


def _explain(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Conflict):
        message = "these captions were changed elsewhere; choose which ones to keep"
        return JSONResponse({"code": "wrong_state", "message": message, "now": error.now}, 409)
    if isinstance(error, RequestValidationError):
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        error = ServeError("bad_message", f"got a request with a problem at {place}: {problem['msg']}")
    if isinstance(error, VideoError):
        error = ServeError("not_found", str(error))
    if isinstance(error, WriteError):
        error = ServeError("internal", str(error))
    assert isinstance(error, ServeError)
    return JSONResponse({"code": error.code, "message": error.message}, error.status)
