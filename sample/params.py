"""How to choose tokens: `SamplingParams`, checked when made."""

import re
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from math import inf, nextafter
from typing import Any

from ..data.kinds import real, whole
from .decodings import NAMED, ByBlock, Decoding
from .guides import Guides


@dataclass(frozen=True)
class SamplingParams:
    """How a stream chooses its tokens. Frozen and checked when made, so nothing downstream checks again.

    Attributes:
        temperature: Divides the logits; 0 takes the likeliest token always. In [0, 10].
        top_k: Keep the k likeliest tokens; `None` keeps all. At least 1.
        top_p: Keep the likeliest tokens that together have this probability; `None` keeps all. In (0, 1].
        guidance_scale: Classifier-free guidance (Ho and Salimans 2022): 1 is none, more follows the prompt closer. In [0, 20].
        decoding: How many tokens are chosen at a time, from the second latent frame on: a "token", a "row", a "frame", or a
            number of tokens. "jacobi" chooses what "token" does, in far fewer forwards. In the first latent frame every token is
            chosen given all before it, in parallel too but for "token". A `Decoding` can be given, too, and is kept by name.
        negative_prompt: What the video is led away from: guidance starts from the prediction with this text instead of from the
            one with the null prompt. It holds for the whole video, and wants a `guidance_scale` above 1. `None` or "" is none.
        action_guidance: Guidance on actions, apart from that on text: 1 is none, more obeys the actions closer. In [0, 20]. It is
            for models of worlds, and costs a third row beside those of `guidance_scale`.

    Raises:
        ValueError: A value is out of its range.
    """

    temperature: float = 0.9
    top_k: int | None = None
    top_p: float | None = None
    guidance_scale: float = 2.0
    decoding: str | int | Decoding = "row"
    negative_prompt: str | None = None
    action_guidance: float = 1.0

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)  # plain numbers, whatever they came as, so that files can hold them
        keep("temperature", real("temperature", self.temperature, 0, 10, "a number from 0 to 10; 0 is greedy"))
        if self.top_k is not None:
            keep("top_k", whole("top_k", self.top_k, 1, inf, "a whole number of at least 1, or None for all"))
        if self.top_p is not None:
            keep("top_p", real("top_p", self.top_p, nextafter(0, 1), 1, "a number above 0 and up to 1, or None for all"))
        scale = real("guidance_scale", self.guidance_scale, 0, 20, "a number from 0 to 20; 1 is no guidance")
        keep("guidance_scale", scale)
        keep("action_guidance", real("action_guidance", self.action_guidance, 0, 20, "a number from 0 to 20; 1 is no guidance"))
        if isinstance(self.decoding, Decoding):
            keep("decoding", self.decoding.name)
        if not (isinstance(self.decoding, str) and self.decoding in NAMED):
            wanted = f"one of {', '.join(map(str, NAMED))}, or a number of tokens"
            keep("decoding", whole("decoding", self.decoding, 1, inf, wanted))
        keep("negative_prompt", _checked_negative(self.negative_prompt, scale))

    @property
    def guided(self) -> bool:
        """Whether a step needs the prediction with the null prompt or the negative prompt too."""
        return self.guidance_scale != 1

    @property
    def action_guided(self) -> bool:
        """Whether a step needs the prediction with unknown actions too."""
        return self.action_guidance != 1

    @property
    def guides(self) -> Guides:
        """The predictions that a step needs beside the one under prompt and actions."""
        return Guides(self.guided, self.action_guided)

    def values(self) -> dict[str, Any]:
        """The settings by name, as files and messages hold them; those that came later are left out if they say nothing."""
        values = asdict(self)
        if self.negative_prompt is None:
            del values["negative_prompt"]
        if not self.action_guided:
            del values["action_guidance"]
        return values

    def block_length(self, frame_shape: tuple[int, int]) -> int:
        """How many tokens are chosen at a time, for latent frames of `frame_shape`."""
        return self.way.block_length(frame_shape)

    @cached_property
    def way(self) -> Decoding:
        """How the tokens of a latent frame are found: what `decoding` names."""
        assert not isinstance(self.decoding, Decoding), "kept by name"
        return NAMED.get(self.decoding) or ByBlock(int(self.decoding))


def _checked_negative(prompt: object, guidance_scale: float) -> str | None:
    """A negative prompt, or `None` if it has no words.

    Raises:
        ValueError: It is no text, changes with time, or has no guidance to work by.
    """
    if prompt is not None and not isinstance(prompt, str):
        raise ValueError(f'got negative_prompt {prompt!r:.80}; wanted a text, such as "a blue square", or None')
    if prompt is None or not prompt.strip():
        return None
    if re.search("[;\uff1b]", prompt):
        raise ValueError(f'got negative_prompt "{prompt}" with a ";"; wanted one text: it holds for the whole video')
    if guidance_scale <= 1:
        raise ValueError(
            f'got negative_prompt "{prompt}" and guidance_scale {guidance_scale:g}; wanted a scale above 1: guidance is what '
            "leads away from it; raise the scale, or leave the negative prompt out"
        )
    return prompt.strip()


def checked_seed(seed: object) -> int:
    """The seed as a plain number.

    Raises:
        ValueError: It is none, or not from 0 to 2^63 - 1.
    """
    return whole("seed", seed, 0, 2**63 - 1, "a whole number from 0 to 2^63 - 1")
