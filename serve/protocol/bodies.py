"""The bodies of requests by HTTP and of their answers. `/openapi.json` describes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .messages import Hello
from .script import Message, Script, Settings

DEFAULT_FRAMES = 33


class StartInfo(Message):
    """How a world can begin."""

    name: str
    prompt: str | None = Field(description="what it shows, if that is said")


class Info(Hello):
    """Who serves, what it allows, and what can be done in its streams.

    The greeting of a WebSocket says less, since clients of earlier versions refuse fields that they do not know.
    """

    title: str | None = Field(None, description="what a person calls the model, if that is another name than the bundle's")
    action_space: dict[str, Any] | None = Field(None, description="buttons and axes of the world; nothing if it takes no actions")
    starts: list[StartInfo] | None = Field(None, description="frames that the world keeps to begin with, for `start_name`")
    opening: str | None = Field(None, description="a prompt for a game that begins without one")
    sampling: Settings | None = Field(None, description="how tokens are chosen if a message does not say it")


class VideoRequest(Script):
    """A finished video."""

    num_frames: int = Field(DEFAULT_FRAMES, ge=1, description="1 + 4k")
    format: Literal["mp4", "mkv", "webp", "png", "gif", "fct"] = Field("mp4", description="fct: a token file")


class StreamRequest(Script):
    """A stream for players."""

    max_frames: int | None = Field(None, ge=1)


class PromptRequest(Message):
    """Another prompt."""

    prompt: str


class WordsReply(Message):
    """The words that the model knows."""

    words: list[str] | None = Field(description="in order; null if nobody knows them, or if they are too many to be listed")


class StreamReply(Message):
    """A stream that begins when someone watches."""

    id: str
    video: str


class PromptReply(Message):
    """The first frame for which a prompt holds, and what it was taken for."""

    frame: int
    prompt: str


class JobRequest(BaseModel):
    """A video that is made while the client does something else, in the dialect of OpenAI, vLLM-Omni and FastVideo.

    Numbers may be texts, since forms have nothing else. What this model cannot do is refused and not left out in silence.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    prompt: str = Field(description='such as "a red circle moves right; at 2s it stops"')
    model: str | None = Field(None, description="the one that is served, as `/v1/models` names it")
    seconds: float | None = Field(None, gt=0, description="length; the nearest that the model can make")
    num_frames: int | None = Field(None, ge=1, description="length in frames, 1 + 4k, in the place of `seconds`")
    size: str | None = Field(None, pattern=r"^\d{1,5}x\d{1,5}$", description="width x height; models have one size")
    width: int | None = Field(None, ge=1)
    height: int | None = Field(None, ge=1)
    fps: float | None = Field(None, gt=0, description="frames per second; models have one rate")
    seed: int | None = Field(None, ge=0, lt=2**63, description="the same seed gives the same tokens; none draws one")
    negative_prompt: str | None = Field(None, max_length=4096)
    guidance_scale: float | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    message: str


class JobReply(BaseModel):
    """A video that was asked for."""

    id: str
    object: Literal["video"] = "video"
    model: str
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int = Field(description="percent")
    created_at: int = Field(description="seconds since 1970")
    completed_at: int | None = None
    expires_at: int | None = Field(default=None, description="when the video is thrown away")
    prompt: str
    size: str
    seconds: str
    fps: float
    num_frames: int
    seed: int
    error: JobError | None = None


class JobList(BaseModel):
    """Videos that were asked for, the newest first."""

    object: Literal["list"] = "list"
    data: list[JobReply]
    first_id: str | None
    last_id: str | None
    has_more: bool


class JobDeleted(BaseModel):
    """A video is gone."""

    id: str
    object: Literal["video.deleted"] = "video.deleted"
    deleted: Literal[True] = True


class ModelReply(BaseModel):
    """A model that is served."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="when the server began, in seconds since 1970")
    owned_by: str = "framecast"


class ModelList(BaseModel):
    """The models that are served: one."""

    object: Literal["list"] = "list"
    data: list[ModelReply]
