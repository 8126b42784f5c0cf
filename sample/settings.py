"""Settings as people write them: `SamplingParams`, a dict, or keywords."""

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, TypedDict

from .decodings import Decoding
from .params import SamplingParams

Params = SamplingParams | Mapping[str, Any] | None
"""All settings at once; `None` takes those of the model, and so do names that a dict leaves out."""


class Settings(TypedDict, total=False):
    """The settings that can be given as keywords, as in `SamplingParams`; `block_length` is `decoding` as a number of tokens."""

    temperature: float
    top_k: int | None
    top_p: float | None
    guidance_scale: float
    decoding: str | int | Decoding
    block_length: int
    negative_prompt: str | None
    action_guidance: float


_KEY = "sampling"
"""Under which a bundle's config keeps settings."""
_OTHERS = (
    *("seed", "params", "num_frames", "progress", "reanchor_every"),
    *("first_frames", "first_tokens", "first_actions", "actions", "start"),
)
"""What `generate` and `stream` take beside settings, and what may have been meant by a name that they do not know."""


def as_params(
    params: Params = None, settings: Mapping[str, Any] | None = None, own: SamplingParams | None = None
) -> SamplingParams:
    """The checked settings.

    Args:
        params: All of them.
        settings: Some of them by name, in place of `params`.
        own: What holds where neither says anything, such as the settings that a model's bundle recommends.

    Raises:
        ValueError: Both are there, a name is none of a setting, or a value is out of its range.
    """
    settings = settings or {}
    if params is not None and not isinstance(params, (SamplingParams, Mapping)):
        raise ValueError(f'got params {params!r:.80}; wanted `SamplingParams`, or a dict such as {{"temperature": 0.5}}')
    unknown = [name for name in settings if name not in Settings.__annotations__]
    if unknown:
        raise ValueError(_unknown(unknown[0], (*Settings.__annotations__, *_OTHERS)))
    if params is not None and settings:
        name = next(iter(settings))
        raise ValueError(
            f"got params and {', '.join(settings)}; wanted one of them, since params says how all tokens are chosen; "
            f"`dataclasses.replace(params, {name}={settings[name]!r})` changes some of it"
        )
    if isinstance(params, SamplingParams):
        return params
    return _made(settings if params is None else params, own or SamplingParams())


def _made(settings: Mapping[str, Any], own: SamplingParams) -> SamplingParams:
    values = dict(settings)
    unknown = [name for name in values if name not in Settings.__annotations__]
    if unknown:
        raise ValueError(_unknown(str(unknown[0]), tuple(Settings.__annotations__)))
    if "block_length" in values:
        if "decoding" in values:
            raise ValueError("got decoding and block_length; wanted one of them: both say how many tokens are chosen at a time")
        values["decoding"] = values.pop("block_length")
    assert values.keys() <= {field.name for field in fields(SamplingParams)}
    return replace(own, **values)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"got a setting {name!r}; wanted one of {', '.join(Settings.__annotations__)}{meant}"


def pack_params(params: SamplingParams) -> dict[str, Any]:
    """What a bundle's config says of settings: those that are not the defaults, under a name; nothing if there are none."""
    values, usual = params.values(), SamplingParams().values()
    own = {name: value for name, value in values.items() if value != usual.get(name)}
    return {_KEY: own} if own else {}


def unpack_params(config: Mapping[str, Any]) -> SamplingParams:
    """The inverse of `pack_params`. Raises ValueError if the settings cannot be."""
    return as_params(config.get(_KEY))
