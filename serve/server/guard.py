"""`Guard`: who may talk to the server at all - by which name, from which page, with which token."""

import hmac
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from ..protocol.errors import ServeError
from ..protocol.messages import TOKEN_PROTOCOL
from .config import ServeConfig

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
STATIC = "/static/"
"""Below it are the page's files."""
OPEN_PATHS = frozenset({"/", "/healthz"})
"""What anyone may read who may talk to the server, beside the page's files: they hold no secret, nor does whether it lives."""
WATCHED = re.compile(r"/v1/streams/[^/]+\.mp4")
"""Streams are watched by a name that cannot be guessed, since players cannot send tokens."""


def security_headers(framed_by: Sequence[str] = ()) -> list[tuple[bytes, bytes]]:
    """What browsers are told: nothing from elsewhere is loaded, and only these origins may show the page inside of theirs."""
    frames = " ".join(framed_by) or "'none'"
    policy = (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
        f"frame-ancestors {frames}; base-uri 'none'; form-action 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


class Guard:
    """Middleware that lets through what may pass, and no body that is too large.

    The Host must be a name of the server, so that no site can reach it by a name of its own (DNS rebinding); the Origin, which
    browsers send, must be the server's own or an allowed one.

    Args:
        app: What is guarded.
        config: The rules.
        watched: Paths that are read without a token, since they hold a name that cannot be guessed.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig, watched: re.Pattern[str] = WATCHED):
        self._app, self._config, self._watched = app, config, watched
        self._security = security_headers(config.framed_by)
        self._hosts = LOOPBACK | {config.host.lower(), *(host.lower() for host in config.hosts)}

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        """Answers what may not pass, and hands on what may."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self.check(scope)
        except ServeError as error:
            await _refuse(scope, receive, send, error)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, self._security))

    def check(self, scope: Scope) -> None:
        """Raises if a request may not pass.

        Raises:
            ServeError: It says why.
        """
        headers = Headers(scope=scope)
        self._check_host(headers)
        self._check_origin(headers)
        if self._config.token is not None and not _is_open(scope, self._watched):
            self._check_token(scope, headers)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._config.max_text:
            raise ServeError("too_large", f"got a body of {length[:20]} bytes; wanted at most {self._config.max_text}")
        if "transfer-encoding" in headers:
            raise ServeError("too_large", "got a body of unknown length; wanted a Content-Length")

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or _hostname(host) not in self._hosts:
            message = f"got the host name {host[:100]!r}; start the server with --allow_host to allow it"
            raise ServeError("forbidden_host", message)

    def _check_origin(self, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is None or origin in self._config.origins:
            return
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or parts.netloc.lower() != headers.get("host", "").lower():
            message = f"got the origin {origin[:100]!r}; start the server with --allow_origin to allow it"
            raise ServeError("forbidden_origin", message)

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        shown = [token] if scheme.lower() == "bearer" else []
        offered = scope.get("subprotocols", ())
        shown += [name.removeprefix(TOKEN_PROTOCOL) for name in offered if name.startswith(TOKEN_PROTOCOL)]
        assert self._config.token is not None
        if not any(hmac.compare_digest(token.encode(), self._config.token.encode()) for token in shown):
            raise ServeError("unauthorized", "got no token, or a wrong one; send `Authorization: Bearer TOKEN`")


def _is_open(scope: Scope, watched: re.Pattern[str]) -> bool:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path = scope["path"]
    return path in OPEN_PATHS or path.startswith(STATIC) or watched.fullmatch(path) is not None


def _hostname(host: str) -> str:
    """The name of a Host header, without the port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() and not host.endswith("]") else host.lower()


def _with_headers(send: Callable, headers: list[tuple[bytes, bytes]]) -> Callable:
    async def send_safely(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *headers]
        await send(message)

    return send_safely


async def _refuse(scope: Scope, receive: Callable, send: Callable, error: ServeError) -> None:
    response = JSONResponse(error.body, error.status)
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": error.status, "headers": response.raw_headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
    else:
        await send({"type": "websocket.close", "code": error.close_code})
