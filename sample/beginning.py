"""How a video begins: with nothing, or with frames or tokens that a person gives."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from .codec import VideoCodec
from .fidelity import warn_of_unfamiliar
from .given import Frames, Given, Tokens, as_frames, as_tokens
from .params import SamplingParams
from .prompts import NO_PROMPT, begins_unsaid, timeline_of
from .starts import Start, find_start


def given_tokens(
    codec: VideoCodec,
    first_frames: Given = None,
    first_tokens: Tokens | None = None,
    start: str | int | Start | None = None,
    starts: Sequence[Start] = (),
) -> Tensor | None:
    """The tokens `[T, H, W]` that a video begins with; `None` if nothing is given.

    Args:
        codec: Encodes frames.
        first_frames: Frames in any form; of a video file its last frames, as many as there are in whole latent frames.
        first_tokens: The same as tokens.
        start: A start, or which of `starts`.
        starts: Those of a bundle.

    Raises:
        ValueError: Two are given, or the one that is given does not fit.

    Warns:
        UnfamiliarVideoWarning: The tokenizer was not trained to show such frames.
    """
    if start is not None:
        if first_frames is not None or first_tokens is not None:
            raise ValueError("got a start and first frames; wanted one of them: both say how the video begins")
        return find_start(starts, start).tokens
    if first_frames is not None and first_tokens is not None:
        raise ValueError("got first_frames and first_tokens; wanted one of them: both say how the video begins")
    if first_tokens is not None:
        return as_tokens(first_tokens, codec.tokenizer.codebook_size, codec.frame_shape)
    if first_frames is None:
        return None
    frames = as_frames(first_frames, (codec.height, codec.width), codec.fps)
    if isinstance(first_frames, (str, Path)):
        frames = frames[-codec.stride.trimmed(len(frames)) :]
    tokens = codec.encode(frames)
    warn_of_unfamiliar(codec, frames)
    return tokens


def one_picture(codec: VideoCodec, picture: Frames) -> Tensor:
    """The frame `[1, H, W, 3]` of a picture to animate.

    Raises:
        ValueError: It is a video of several frames.
    """
    frames = as_frames(picture, (codec.height, codec.width), codec.fps)
    if len(frames) != 1:
        raise ValueError(
            f"got {len(frames)} frames to animate; wanted one picture; `generate(..., first_frames=...)` continues a video, and "
            "`video[:1]` is its first frame"
        )
    return frames


def prompt_of(prompt: Any, start: str | int | Start | None, starts: Sequence[Start], caption: str | None = None) -> Any:
    """The prompt of a video: what is said, or else what its start says, or else what all videos of the training showed.

    Args:
        prompt: What is said.
        start: Where it begins.
        starts: Those of a bundle.
        caption: As `VideoGenerator.caption`.

    Raises:
        ValueError: Nobody says it, or it is empty and the model knows captions.
    """
    if prompt is not None:
        if begins_unsaid(prompt) and caption != NO_PROMPT:
            timeline_of(prompt)  # says what is wrong with it
        return prompt
    said = None if start is None else find_start(starts, start).prompt
    said = caption if said is None else said
    if said is None:
        raise ValueError("got no prompt; wanted a prompt, pairs of seconds and text, or a `start` that says what the video shows")
    return said


def params_of(prompt: Any, params: SamplingParams) -> SamplingParams:
    """The settings that go with a prompt: beside the null prompt there is nothing to guide from, and one row is enough.

    Raises:
        ValueError: There is a negative prompt for a null prompt.
    """
    if not begins_unsaid(prompt):
        return params
    if params.negative_prompt is not None:
        raise ValueError(
            f'got negative_prompt "{params.negative_prompt}" for a model whose training had no captions; wanted none of it; '
            "leave it out"
        )
    return replace(params, guidance_scale=1.0)
