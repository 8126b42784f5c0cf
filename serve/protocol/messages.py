"""The messages of a WebSocket, as JSON. `docs/serving.md` tells in which order they follow."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from .errors import ServeError
from .script import Message, Name, Script, Seed, Settings

VERSION = 1
SUBPROTOCOL = "framecast.v1"
TOKEN_PROTOCOL = "bearer."
"""A browser cannot send headers with a WebSocket, so a subprotocol of this name with the token behind it shows the token."""


MOST_NAMES = 256
"""Buttons and axes that a control may name, as many as a world may have."""

MOST_SINCE = 256
"""Changes of what was held that a client may tell who recovers."""

MOST_PLANNED = 1024
"""Frames for which a branch may name actions; the last action holds longer."""

Notes = Annotated[bool, Field(description="whether the answer is to say what the model cannot show; older servers know no notes")]
RequestId = Annotated[int | None, Field(ge=0, lt=2**53, description="comes back as `reply_to`")]


class Request(Message):
    """A message of the client."""

    id: RequestId = None


class Delivery(Request):
    """How frames are sent."""

    pace: Literal["video", "fast", "play"] = Field(
        "video",
        description="at the video's rate, as fast as they are made, or for who plays: at the video's rate, each latent frame "
        "made when it is due, after the newest control was read",
    )
    format: Literal["png", "webp", "jpeg", "h264"] = Field("png", description="png and webp are lossless; h264: fragmented mp4")
    credits: int = Field(24, ge=0, description="frames that may be sent before the client gives more credit")
    max_frames: int | None = Field(None, ge=1, description="the session ends with this frame")
    actions: bool = Field(False, description="whether the answer is to say what can be done; older servers know no actions")

    @property
    def by_hand(self) -> bool:
        """Whether the client plays."""
        return self.pace == "play"


class Start(Delivery, Script):
    """Begins a stream."""

    type: Literal["start"]
    first_frames: list[str] = Field([], description="PNG, WebP or JPEG files in base64: the video to go on from, 1 + 4k frames")
    picture_size: int | None = Field(
        None,
        ge=1,
        description="bytes of a picture of any size, the first frame; it follows as one binary message: PNG, JPEG, WebP, GIF",
    )
    notes: Notes = False


class Restore(Delivery):
    """Goes on with a snapshot, which follows as one binary message of `size` bytes."""

    type: Literal["restore"]
    size: int = Field(ge=1)


class Attach(Delivery):
    """Takes over a branch that another connection has made."""

    type: Literal["attach"]
    branch: str = Field(max_length=64)


class Held(Message):
    """What is held, by name."""

    buttons: list[Name] | None = Field([], max_length=MOST_NAMES, description="those that are on, by name; null: nobody knows")
    axes: dict[Name, float] = Field({}, max_length=MOST_NAMES, description="positions in [-1, 1] by name; others are at rest")


class HeldSince(Held):
    """What was held from a frame on."""

    frame: int = Field(ge=0, description="the first frame for which it was held")


class Recover(Delivery):
    """Goes on with a session whose server was lost, where servers keep snapshots."""

    type: Literal["recover"]
    session: str = Field(max_length=64)
    frame: int = Field(ge=0, description="the first frame that is wanted")
    held: list[HeldSince] = Field([], max_length=MOST_SINCE, description="what was held in the last frames that came, in order")


class Prompt(Request):
    """Changes the prompt."""

    type: Literal["prompt"]
    prompt: str
    notes: Notes = False


class Control(Held):
    """What a person holds from now on. The newest control counts: one that no latent frame has followed gives way to it."""

    type: Literal["control"]
    id: int = Field(ge=0, lt=2**53, description="comes back in `control_applied` and in the header of frames")
    clock: float = Field(0.0, description="the client's own clock, such as milliseconds; comes back in the header of frames")


class Pause(Request):
    """Stops making frames."""

    type: Literal["pause"]


class Resume(Request):
    """Goes on making frames."""

    type: Literal["resume"]


class Snapshot(Request):
    """Asks for all of the stream as bytes."""

    type: Literal["snapshot"]


class Branch(Request):
    """Other futures of one moment, one for each seed; each is attached by a connection of its own."""

    type: Literal["branch"]
    seeds: list[Seed] = Field(min_length=1, max_length=4)
    prompts: list[str | None] | None = Field(
        None,
        max_length=4,
        description="a prompt for each seed, which holds as soon as it can; null keeps the prompt",
    )
    frame: int | None = Field(None, ge=1, description="the moment, a frame that was sent; null is the next frame")
    actions: list[Held] | None = Field(
        None,
        min_length=1,
        max_length=MOST_PLANNED,
        description="what is done in each, frame by frame from its next latent frame on; the last one holds; null: as here",
    )


class Stop(Request):
    """Ends the stream; another can begin."""

    type: Literal["stop"]


class Credit(Request):
    """Lets more frames come."""

    type: Literal["credit"]
    frames: int = Field(ge=1)


ClientMessage = Annotated[
    Start | Restore | Attach | Recover | Prompt | Control | Pause | Resume | Snapshot | Branch | Stop | Credit,
    Field(discriminator="type"),
]


class Reply(Message):
    """A message of the server."""

    reply_to: RequestId = None


class Hello(Reply):
    """The first message: who serves, and what it allows."""

    type: Literal["hello"] = "hello"
    version: int = VERSION
    server: str
    bundle: str
    height: int
    width: int
    fps: float
    temporal_stride: int
    limits: dict[str, float]


class Started(Reply):
    """The stream has begun; frames follow."""

    type: Literal["started"] = "started"
    session: str
    seed: int
    settings: Settings
    pace: str
    format: str
    frame: int = Field(description="index of the first frame that will come")
    video: str = Field(description="path of the same as a fragmented mp4, for players")
    recoverable: bool = Field(description="whether snapshots are kept for `recover`")
    notes: list[str] | None = Field(None, description="what the model cannot show, a sentence each, if wanted")
    action_space: dict[str, Any] | None = Field(None, description="what can be done in this world, if wanted and if anything")


class Shows(Reply):
    """From this frame on, which comes next, the stream shows this prompt."""

    type: Literal["shows"] = "shows"
    frame: int
    prompt: str


class Prompted(Reply):
    """The prompt was changed."""

    type: Literal["prompted"] = "prompted"
    frame: int = Field(description="index of the first frame for which it holds")
    prompt: str
    notes: list[str] | None = Field(None, description="as of `started`")


class ControlApplied(Reply):
    """A control holds. There is none for a control that gave way to a newer one."""

    type: Literal["control_applied"] = "control_applied"
    id: int = Field(description="of the control")
    latent_frame: int = Field(description="the first latent frame for which it holds")
    frame: int = Field(description="index of its first frame")


class Progress(Reply):
    """What the answers have in common that only say at which frame the stream is."""

    type: str
    frame: int


class Paused(Progress):
    """No more frames are made or sent."""

    type: Literal["paused"] = "paused"
    frame: int = Field(description="index of the frame that comes next")


class Resumed(Progress):
    """Frames come again."""

    type: Literal["resumed"] = "resumed"


class Snapshotted(Reply):
    """The snapshot follows as one binary message."""

    type: Literal["snapshotted"] = "snapshotted"
    frame: int = Field(description="index of the first frame that the restored stream gives")
    size: int


class Branched(Reply):
    """Branches wait to be attached, for a short while."""

    type: Literal["branched"] = "branched"
    frame: int = Field(description="index of their first frame")
    branches: list[str]
    seeds: list[int]


class Stopped(Progress):
    """The stream is over, since the client wanted it."""

    type: Literal["stopped"] = "stopped"
    frame: int = Field(description="frames that were sent, given ones included")


class Ended(Progress):
    """The stream has as many frames as were wanted or are allowed."""

    type: Literal["ended"] = "ended"


class Error(Reply):
    """Something was refused; where `fatal`, the connection is closed next."""

    type: Literal["error"] = "error"
    code: str
    message: str
    fatal: bool


ServerMessage = Annotated[
    Hello | Started | Shows | Prompted | ControlApplied | Paused | Resumed | Snapshotted | Branched | Stopped | Ended | Error,
    Field(discriminator="type"),
]

_CLIENT: TypeAdapter[Any] = TypeAdapter(ClientMessage)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerMessage)


def parse_request(text: str) -> Any:
    """A message of the client.

    Raises:
        ServeError: It is none.
    """
    return _parse(text, _CLIENT)


def parse_reply(text: str) -> Any:
    """A message of the server.

    Raises:
        ServeError: It is none.
    """
    return _parse(text, _SERVER)


def json_schema() -> dict[str, Any]:
    """JSON schemas of the messages of both sides."""
    return {"version": VERSION, "client": _CLIENT.json_schema(), "server": _SERVER.json_schema()}


def _parse(text: str, adapter: TypeAdapter[Any]) -> Any:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ServeError("bad_json", f"got a message that is not JSON ({type(error).__name__}); wanted one object") from error
    try:
        return adapter.validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise ServeError("bad_message", _first_problem(error)) from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _first_problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "got a message that is nested too deep; wanted one of the protocol"
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"got a message with a problem at {place or 'its type'}: {problem['msg']}; see /v1/schema.json for what is wanted"
