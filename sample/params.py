"""How to choose tokens: `SamplingParams`, checked when made."""

from dataclasses import dataclass

DECODING = ("token", "row", "frame", "jacobi")


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
            chosen given all before it, in parallel too but for "token".

    Raises:
        ValueError: A value is out of its range.
    """

    temperature: float = 0.9
    top_k: int | None = None
    top_p: float | None = None
    guidance_scale: float = 2.0
    decoding: str | int = "row"

    def __post_init__(self):
        _check("temperature", self.temperature, _within(self.temperature, 0, 10), "a number from 0 to 10; 0 is greedy")
        legal = self.top_k is None or _is_count(self.top_k)
        _check("top_k", self.top_k, legal, "a whole number of at least 1, or None for all")
        legal = self.top_p is None or (_within(self.top_p, 0, 1) and self.top_p > 0)
        _check("top_p", self.top_p, legal, "a number above 0 and up to 1, or None for all")
        legal = _within(self.guidance_scale, 0, 20)
        _check("guidance_scale", self.guidance_scale, legal, "a number from 0 to 20; 1 is no guidance")
        legal = self.decoding in DECODING or _is_count(self.decoding)
        _check("decoding", self.decoding, legal, f"one of {', '.join(DECODING)}, or a number of tokens")

    @property
    def guided(self) -> bool:
        """Whether a step needs the null prompt's prediction too."""
        return self.guidance_scale != 1

    def tokens_per_forward(self, frame_shape: tuple[int, int]) -> int:
        """How many tokens are chosen at a time, the block length, for latent frames of `frame_shape`."""
        height, width = frame_shape
        named: dict[str | int, int] = {"token": 1, "jacobi": 1, "row": width, "frame": height * width}
        return named.get(self.decoding) or int(self.decoding)

    def is_parallel(self, first: bool) -> bool:
        """Whether the tokens of a latent frame, the first one of its stream or a later one, are found all at once."""
        return self.decoding != "token" if first else self.decoding == "jacobi"


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check(name: str, value: object, holds: bool, wanted: str) -> None:
    if not holds:
        raise ValueError(f"got {name} {value!r}; wanted {wanted}")
