"""`TokenHeader`: what a token file says of its tokens."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ..data.actions import ActionSpace
from ..tokenizer import VideoTokenizer
from .packing import fingerprint
from .params import SamplingParams

_LATER = ("lm", "text", "action_space", "reanchor_every")
"""What files of older versions do not say."""


@dataclass(frozen=True)
class TokenHeader:
    """What the tokens of a file are.

    Attributes:
        tokenizer: sha256 of the tokenizer that made them, as in `VideoGenerator.hashes`.
        name: What a person calls that tokenizer.
        codebook_size: Tokens lie below.
        height: Rows of the frames in pixels.
        width: Columns of the frames in pixels.
        temporal_stride: Frames of every latent frame after the first.
        fps: Frames per second.
        seed: Seed of the stream that made them; `None` if a real video was encoded.
        params: How they were chosen; `None` if a real video was encoded.
        lm: sha256 of the video LM that made them, if the file says it.
        text: sha256 of the pieces of its text tokenizer, likewise.
        action_space: What can be done in the world of the video; `None` of a model without actions.
        reanchor_every: Latent frames between two renewals of the stream's sink; `None` if it was kept.
    """

    tokenizer: str
    name: str
    codebook_size: int
    height: int
    width: int
    temporal_stride: int
    fps: float
    seed: int | None = None
    params: SamplingParams | None = None
    lm: str | None = None
    text: str | None = None
    action_space: ActionSpace | None = None
    reanchor_every: int | None = None

    def values(self) -> dict[str, Any]:
        """The header as plain values; what came in later versions is left out if it says nothing."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["params"] = None if self.params is None else self.params.values()
        values["action_space"] = None if self.action_space is None else self.action_space.to_json()
        return {name: value for name, value in values.items() if name not in _LATER or value is not None}

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `values`.

        Raises:
            ValueError: They are those of no header.
            LookupError: Some are missing.
            TypeError: Some are too many, or of another kind.
        """
        params = None if values["params"] is None else SamplingParams(**values["params"])
        space = None if values.get("action_space") is None else ActionSpace.from_json(values["action_space"])
        header = cls(**{**values, "params": params, "action_space": space})
        texts = (header.tokenizer, header.name, header.lm or "", header.text or "")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a tokenizer that is no text")
        sizes = (header.codebook_size, header.height, header.width, header.temporal_stride)
        if not all(isinstance(size, int) and size > 0 for size in sizes) or not 0 < float(header.fps) < math.inf:
            raise ValueError(f"sizes {sizes} at {header.fps} frames/s")
        return header


def describe_tokens(
    tokenizer: VideoTokenizer,
    name: str,
    size: tuple[int, int],
    fps: float,
    seed: int | None = None,
    params: SamplingParams | None = None,
) -> TokenHeader:
    """What the tokens of `tokenizer` are, for videos of `size` rows and columns; without a seed, of a video that was encoded."""
    sizes = (tokenizer.codebook_size, *size, tokenizer.temporal_stride)
    return TokenHeader(fingerprint(tokenizer), name, *sizes, fps, seed, params)
