"""`ServeConfig`: how a server is reached and what it allows; checked when made."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, get_type_hints

_LOOPBACK_NAMES = ("localhost", "ip6-localhost")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9*.-]+(:\d{1,5})?")
_TOKEN_LETTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")

Count = Annotated[int, "at least 1", lambda number: number >= 1]
CountOrNone = Annotated[int, "at least 0", lambda number: number >= 0]
Positive = Annotated[float, "a number above 0", lambda number: number > 0]


@dataclass(frozen=True)
class ServeConfig:
    """How a server is reached, and its limits.

    Attributes:
        host: Address to bind to. Any but a loopback one needs a token.
        port: Port to bind to; 0 takes a free one.
        slots: Streams in one forward pass at most.
        queue: Streams more than there are slots; all take turns, so that each gets its share.
        token: What a client has to show; `None` asks for nothing.
        hosts: Names, beside the loopback ones and `host`, by which a browser may reach the server; without the port.
        origins: Origins of other sites' pages that may connect, such as "https://example.org".
        public: Whether whoever reaches the server may use it without a token, also from other machines.
        framed_by: Origins of other sites that may show the page inside of theirs, such as "https://huggingface.co".
        max_prompt: Characters of a prompt at most.
        max_frames: Frames of a stream at most.
        max_video_frames: Frames of a video that is asked for at once.
        max_text: Bytes of a text message or of a request's body.
        max_snapshot: Bytes of a snapshot that is sent back.
        max_credits: Frames that a client can ask for ahead.
        max_first_frames: Frames that a stream can begin with.
        max_picture: Bytes of a picture that a stream can begin with.
        message_rate: Messages per second, over a few seconds, that a client can send.
        idle_seconds: How long a stream may be paused, or a connection be without a stream.
        stall_seconds: How long a client may leave frames that wait for it.
        snapshot_every: Latent frames between the snapshots that are kept if there is a store for them.
        replicas: Servers that share the work; the other limits are those of each.
        max_replicas: Servers at most, if more are to be started while sessions fill most places; `None` keeps to `replicas`.
        max_jobs: Videos that are asked for as jobs and kept, at most: those that wait, and those that are done.
        job_seconds: How long a finished video of a job is kept.
        title: What the page calls the model; `None` is the name of its bundle.

    Raises:
        ValueError: A number is out of range, an origin is none, or the address is not a loopback one, there is no token, and the
            server is not public.
    """

    host: str = "127.0.0.1"
    port: CountOrNone = 8000
    slots: Count = 4
    queue: CountOrNone = 12
    token: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    public: bool = False
    framed_by: tuple[str, ...] = ()
    max_prompt: Count = 500
    max_frames: Count = 1_000_000
    max_video_frames: Count = 2_001
    max_text: Count = 2**20
    max_snapshot: Count = 2**24
    max_credits: Count = 240
    max_first_frames: Count = 65
    max_picture: Count = 2**23
    message_rate: Positive = 50.0
    idle_seconds: Positive = 300.0
    stall_seconds: Positive = 15.0
    snapshot_every: Count = 6
    replicas: Count = 1
    max_replicas: int | None = None
    max_jobs: Count = 64
    job_seconds: Positive = 3600.0
    title: str | None = None

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            wanted, takes = getattr(hint, "__metadata__", (None, None))
            if takes is not None and not takes(getattr(self, name)):
                raise ValueError(f"got {name} {getattr(self, name)}; wanted {wanted}")
        if self.port > 65535:
            raise ValueError(f"got port {self.port}; wanted 0 to 65535")
        if self.token is not None and (len(self.token) < 16 or not set(self.token) <= _TOKEN_LETTERS):
            raise ValueError("got a token that is short or of odd letters; wanted 16 or more of A-Z a-z 0-9 - _ . ~")
        if self.max_replicas is not None and self.max_replicas < self.replicas:
            raise ValueError(f"got max_replicas {self.max_replicas} and {self.replicas} replicas; wanted as many or more")
        for origin in self.framed_by:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"got --framed_by {origin!r:.100}; wanted the origin of a site, such as https://example.org")
        self._check_who_may_come()

    def _check_who_may_come(self) -> None:
        if self.public and self.token is not None:
            raise ValueError("got a token for a public server, which asks nobody for one; wanted one of the two")
        if self.token is None and not self.public and not is_loopback(self.host):
            raise ValueError(
                f"got --host {self.host}, which other machines can reach, and no token; wanted a token of 16 letters or more; "
                "set FRAMECAST_TOKEN, leave --host out to serve this machine alone, or let everybody in by --public"
            )

    @property
    def capacity(self) -> int:
        """Streams at most."""
        return self.slots + self.queue


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
