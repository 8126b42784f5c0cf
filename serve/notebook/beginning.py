"""`Beginning`: how a video begins, and how it would begin with another seed or other settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from ...sample import SamplingParams, Stream, VideoGenerator
from ...sample.prompts import Prompt


@dataclass(frozen=True)
class Beginning:
    """Makes a stream, as often as it is called.

    Attributes:
        make: Makes it with a seed and with settings.
        seed: The seed.
        params: The settings.
    """

    make: Callable[[int, SamplingParams], Stream]
    seed: int
    params: SamplingParams

    @classmethod
    def of_prompt(cls, generator: VideoGenerator, prompt: Prompt, seed: int, params: SamplingParams | None) -> Self:
        """A video from its first frame on."""
        return cls(lambda seed, params: generator.stream(prompt, seed, params), seed, params or generator.params)

    @classmethod
    def of_moment(cls, moment: Stream, seed: int) -> Self:
        """A video that goes on from where a stream stands. Nothing else may use that stream."""
        return cls(lambda seed, params: _continued(moment, seed, params), seed, moment.params)

    def __call__(self) -> Stream:
        return self.make(self.seed, self.params)

    def changed(self, seed: int | None, params: SamplingParams | None) -> Self:
        """With another seed or other settings; `None` leaves them as they are."""
        return replace(self, seed=self.seed if seed is None else seed, params=params or self.params)


def _continued(moment: Stream, seed: int, params: SamplingParams) -> Stream:
    (stream,) = moment.branch([seed])
    if params != stream.params:
        stream.params = params
    return stream
