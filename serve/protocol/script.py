"""`Script`: what a video shows and how its tokens are chosen, as it is asked for by WebSocket and by HTTP."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

from ...sample import SamplingParams
from ...sample.settings import as_params
from .errors import ServeError


class Message(BaseModel):
    """What all messages have in common: unknown fields, NaN and numbers as text are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Seed = Annotated[int, Field(ge=0, lt=2**63, description="the same seed gives the same tokens")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[tuple[float, str], Strict(False)]  # a JSON array is a list once Python has parsed it


class Settings(Message):
    """How tokens are chosen, as `SamplingParams`. What is left out is as the model has it, and else as is said here."""

    temperature: float = SamplingParams.temperature
    top_k: int | None = None
    top_p: float | None = None
    guidance_scale: float = SamplingParams.guidance_scale
    decoding: str | int = SamplingParams().way.name
    negative_prompt: Annotated[str | None, Field(max_length=4096, description="what the video is led away from")] = None
    action_guidance: Annotated[float | None, Field(description="as for prompts, for actions; none is 1")] = None

    def params(self, own: SamplingParams | None = None) -> SamplingParams:
        """The checked settings; what a message leaves out is as in `own`, those of the model.

        Raises:
            ServeError: One is out of its range.
        """
        try:
            values = self.model_dump(include=self.model_fields_set)
            if values.get("action_guidance", 0) is None:
                del values["action_guidance"]
            return as_params(values, own=own)
        except ValueError as error:
            raise ServeError("bad_settings", str(error)) from error


class Script(Message):
    """What a video shows: one of `prompt` and `timeline`."""

    prompt: str | None = Field(None, description='such as "a red circle moves right; at 2s it stops"')
    timeline: list[Moment] | None = Field(None, min_length=1, max_length=256, description="seconds and prompts")
    start_name: Name | None = Field(None, description="one of the world's starts to go on from; it may say the prompt")
    seed: Seed = 0
    settings: Settings = Settings()

    def prompts(self, longest: int) -> str | list[tuple[float, str]] | None:
        """The prompt or the timeline, of which no text is longer than `longest` letters; `None` if a start is to say it.

        Raises:
            ServeError: Neither or both are there, or one is too long.
        """
        if self.start_name is not None and self.prompt is None and self.timeline is None:
            return None
        if (self.prompt is None) == (self.timeline is None):
            raise ServeError("bad_prompt", "got neither or both of prompt and timeline; wanted one of them")
        texts = [self.prompt] if self.prompt is not None else [text for _, text in self.timeline or ()]
        for text in texts:
            check_prompt(text, longest)
        return self.prompt if self.prompt is not None else list(self.timeline or ())


def check_prompt(text: str, longest: int) -> None:
    """Raises if a prompt is too long to be looked at."""
    if len(text) > longest:
        raise ServeError("bad_prompt", f"got a prompt of {len(text)} letters; wanted at most {longest}; say it shorter")


def settings_of(params: SamplingParams) -> Settings:
    """The inverse of `Settings.params`."""
    values = params.values()
    if params.action_guidance == SamplingParams.action_guidance:
        values.pop("action_guidance", None)  # clients of earlier versions refuse fields that they do not know
    return Settings(**values)
