"""What a server refuses: a code, a number and a sentence each."""

from typing import Any

from ...sample import SnapshotError

CODES = {
    "bad_json": (400, "the message is not JSON"),
    "bad_message": (400, "the message is not of the protocol"),
    "unauthorized": (401, "the token is missing or wrong"),
    "forbidden_host": (403, "the server is not known by this name"),
    "forbidden_origin": (403, "pages of this site may not connect"),
    "not_found": (404, "there is no such stream"),
    "too_slow": (408, "the client left frames waiting too long"),
    "idle": (408, "nothing happened for too long"),
    "wrong_state": (409, "the message does not fit the state of the session"),
    "too_large": (413, "the message is too large"),
    "bad_prompt": (422, "the prompt cannot be followed"),
    "bad_settings": (422, "a setting is out of range"),
    "bad_action": (422, "the action cannot be done in this world"),
    "bad_frames": (422, "the first frames cannot be used"),
    "bad_snapshot": (422, "the snapshot cannot be restored"),
    "too_many_messages": (429, "messages come too fast"),
    "internal": (500, "the server failed"),
    "server_full": (503, "all places are taken"),
    "draining": (503, "the server is going down"),
}
"""Of each error code: its HTTP status, and what it means. A WebSocket is closed with 4000 and the status."""

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
"""Of HTTP statuses, what OpenAI's dialect calls such an error; others are `invalid_request_error` or `server_error`."""

DRAINING = ("draining", "the server is going down; connect again later")
TAKEN_OVER = ("wrong_state", "another connection has taken this session over")


class ServeError(ValueError):
    """Something that was refused.

    Attributes:
        code: One of `CODES`.
        message: A sentence: what was got, what was wanted, what to do.
    """

    def __init__(self, code: str, message: str):
        assert code in CODES, code
        super().__init__(message)
        self.code, self.message = code, " ".join(message.split())

    @property
    def status(self) -> int:
        """The HTTP status that says the same."""
        return CODES[self.code][0]

    @property
    def body(self) -> dict[str, Any]:
        """What HTTP answers: code and message, and the same once more as clients of OpenAI's dialect read it."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        nested = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return {"error": nested, "code": self.code, "message": self.message}

    @property
    def close_code(self) -> int:
        """What a WebSocket is closed with."""
        return 4000 + self.status


def as_serve_error(error: Exception, code: str = "internal") -> ServeError:
    """What a client is told of any error: the words of our own checks, and of other errors nothing."""
    if isinstance(error, ServeError):
        return error
    if isinstance(error, SnapshotError):
        return ServeError("bad_snapshot", str(error))
    if isinstance(error, ValueError) and code != "internal":
        return ServeError(code, str(error))
    return ServeError("internal", "the server failed here; its log says why; try again")
