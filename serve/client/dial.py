"""`Dialler`: opens connections to a server."""

from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from ..protocol.messages import SUBPROTOCOL, TOKEN_PROTOCOL

_LARGEST_MESSAGE = 2**28


class Dialler:
    """Knows where a server is and what it asks for.

    Args:
        url: Where the server is, such as "http://127.0.0.1:8000".
        token: What the server asks for, if it does.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, url: str, token: str | None = None):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"got the address {url!r}; wanted one such as http://127.0.0.1:8000")
        secure = "s" if parts.scheme == "https" else ""
        self._address = f"ws{secure}://{parts.netloc}{parts.path.rstrip('/')}/v1/stream"
        self._protocols = [SUBPROTOCOL, *([TOKEN_PROTOCOL + token] if token is not None else [])]

    async def dial(self) -> ClientConnection:
        """A connection that speaks the protocol.

        Raises:
            ConnectionError: There is no server, or it refused the connection.
        """
        try:
            return await connect(
                self._address,
                subprotocols=self._protocols,  # type: ignore[arg-type]
                max_size=_LARGEST_MESSAGE,
                compression=None,
                proxy=None,
            )
        except InvalidHandshake as error:
            raise ConnectionError(f"{self._address} refused the connection: {_body(error)}") from error
        except OSError as error:
            raise ConnectionError(f"cannot reach {self._address} ({error}); is the server running?") from error


def _body(error: InvalidHandshake) -> str:
    response = getattr(error, "response", None)
    body = getattr(response, "body", None)
    return body.decode(errors="replace") if body else str(error)
