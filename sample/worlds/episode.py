"""`Episode`: one play of a world, from its first frame to its end; `Rules` say how it begins and ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.kinds import real, whole
from ..beginning import given_tokens, params_of, prompt_of
from ..bundle import load_generator
from ..bundle_files import WORLD
from ..generator import VideoGenerator
from ..given import Given
from ..packing import PackingError, pack, unpack
from ..prompts import Prompt
from ..settings import Params, as_params
from ..snapshot import SnapshotError
from ..starts import Start, find_start
from ..steps import Frame
from ..stream import Stream

Image = NDArray[np.uint8]
"""uint8 `[H, W, 3]`."""
_Start = str | int | Start
Starts = _Start | Sequence[_Start] | None
"""Where an episode begins: a start, one of several by chance, or a first frame that is drawn."""

_LARGEST_SEED = 2**63
_UNGUIDED = {"guidance_scale": 1.0}
"""How an episode is made if nobody says it: guidance on text costs half of the speed."""


class Rules:
    """How episodes begin and end.

    Args:
        bundle: A generator of a world, or the folder of its bundle; `None` is the shipped world, if there is one.
        start: Where they begin; `None` is any start of the bundle.
        prompt: What they show; `None` is what the start says, or else the caption of all videos of the training.
        max_steps: Latent frames after which an episode is cut off; `None` is never.
        params: How tokens are chosen; `None` is without guidance.
        first_frames: A picture or frames to begin with, in place of a start.
        end_above: An episode has ended if the model finds that likelier than this.

    Raises:
        ValueError: The model knows no actions, there is no such start, nobody says what is shown, or a number is out of range.
    """

    def __init__(
        self,
        bundle: VideoGenerator | str | Path | None,
        start: Starts,
        prompt: Prompt | None,
        max_steps: int | None,
        params: Params,
        first_frames: Given,
        end_above: float,
    ):
        self.generator = bundle if isinstance(bundle, VideoGenerator) else load_generator(WORLD if bundle is None else bundle)
        self.space = self.generator.stepper.known_space()
        self.params = as_params(_UNGUIDED if params is None else params, own=self.generator.params)
        self.max_steps = None if max_steps is None else whole("max_steps", max_steps, 1, inf, "a whole number from 1, or None")
        self.end_above = real("end_above", end_above, 0, 1, "a number from 0 to 1")
        several: list[Any] = list(start) if isinstance(start, (list, tuple, range)) else [] if start is None else [start]
        self.starts = [find_start(self.generator.starts, one) for one in several]
        if start is None and first_frames is None:
            self.starts = list(self.generator.starts)
        if first_frames is not None:
            if self.starts:
                raise ValueError("got a start and first frames; wanted one of them: both say how an episode begins")
            tokens = given_tokens(self.generator.codec, first_frames)
            assert tokens is not None, "there are frames"
            self.starts = [Start("given", tokens)]
        self.prompt: Any = prompt
        self._images: dict[str, Image] = {}
        first = self._prompt_of(self.starts[0] if self.starts else None)  # that there is one is known before the first episode
        self.params = params_of(first, self.params)

    @property
    def steps_per_second(self) -> float:
        """Latent frames of a second."""
        return self.generator.fps / self.generator.codec.stride.frames

    def begin(self, rng: np.random.Generator) -> "Episode":
        """An episode of whatever chance has it; its first image may still have to be made."""
        start = self.starts[int(rng.integers(len(self.starts)))] if self.starts else None
        seed = int(rng.integers(_LARGEST_SEED))
        tokens = None if start is None else start.tokens
        stream = self.generator.stream(self._prompt_of(start), seed, self.params, first_tokens=tokens)
        return Episode(self, stream, None if start is None else self._image_of(start))

    def _prompt_of(self, start: Start | None) -> Any:
        """What an episode shows that begins there; if neither start nor training says it, as the first start that does."""
        generator = self.generator
        told = next((one.prompt for one in generator.starts if one.prompt is not None), None)
        try:
            return prompt_of(self.prompt, start, generator.starts, told if generator.caption is None else generator.caption)
        except ValueError:
            if self.prompt is not None:
                raise
            raise ValueError('got no prompt; wanted what the world shows, such as prompt="a car drives on a track"') from None

    def _image_of(self, start: Start) -> Image:
        """The last frame of a start."""
        if start.name not in self._images:
            self._images[start.name] = self.generator.decode(start.tokens)[-1].numpy()
        return self._images[start.name]


@dataclass(eq=False)
class Episode:
    """One play of a world.

    Attributes:
        rules: How it ends.
        stream: What makes it.
        image: What is seen now; `None` before the first frame is made.
        steps: Latent frames since it began.
        over: Whether it has ended or was cut off.
    """

    rules: Rules
    stream: Stream
    image: Image | None = None
    steps: int = 0
    over: bool = False

    def show(self) -> Image:
        """The first image, which is made now if need be."""
        if self.image is None:
            frames = self.stream.take() if self.stream.num_latent_frames else self.stream.step()
            self.image = frames[-1].image.numpy()
        return self.image

    def note(self, frames: Sequence[Frame]) -> tuple[Image, float, bool, bool, dict[str, Any]]:
        """What came of a step that made these frames: image, reward, ended, cut off, and what else is known."""
        self.steps += 1
        self.image = frames[-1].image.numpy()
        end, limit = self.stream.end, self.rules.max_steps
        ended, cut = end is not None and end > self.rules.end_above, limit is not None and self.steps >= limit
        self.over = ended or cut
        shown = np.stack([frame.image.numpy() for frame in frames])
        return self.image, self.stream.reward or 0.0, ended, cut, {**self.about(), "frames": shown}

    def about(self) -> dict[str, Any]:
        """The index of the frame that is seen, and the seed of the stream."""
        return {"frame": self.stream.codec.stride.num_frames(self.stream.num_latent_frames) - 1, "seed": self.stream.seed}

    def snapshot(self, rng: np.random.Generator) -> bytes:
        """All of it, and the chance of the episodes that follow, as bytes."""
        held = torch.frombuffer(bytearray(self.stream.snapshot()), dtype=torch.uint8)
        chance = {"kind": type(rng.bit_generator).__name__, "state": rng.bit_generator.state}
        return pack({"stream": held, "image": torch.from_numpy(self.show())}, {"steps": self.steps, "over": self.over, **chance})


def checked_mode(render_mode: object) -> str | None:
    """The mode of rendering.

    Raises:
        ValueError: There is no such mode.
    """
    if render_mode not in (None, "rgb_array"):
        raise ValueError(f'got render_mode {render_mode!r:.40}; wanted "rgb_array", or None')
    return None if render_mode is None else "rgb_array"


def checked_seed(seed: object) -> int | None:
    """The seed of a reset, which may be a number of numpy's; `None` stays.

    Raises:
        ValueError: It is no whole number, or below 0.
    """
    return None if seed is None else whole("seed", seed, 0, inf, "a whole number from 0, or None to go on")


def restore(rules: Rules, snapshot: bytes) -> tuple[Episode, np.random.Generator]:
    """The inverse of `Episode.snapshot`.

    Raises:
        SnapshotError: The bytes are those of no episode, or of one of another bundle.
    """
    try:
        tensors, values = unpack(snapshot)
        rng = np.random.Generator({"PCG64": np.random.PCG64}[values["kind"]]())
        rng.bit_generator.state = values["state"]
        steps, over, image = int(values["steps"]), bool(values["over"]), tensors["image"].numpy()
        held = tensors["stream"].numpy().tobytes()
    except (PackingError, LookupError, TypeError, ValueError) as error:
        raise SnapshotError(f"got no snapshot of an environment ({error}); wanted the bytes that its `snapshot` gave") from error
    return Episode(rules, rules.generator.restore(held), image, steps, over), rng
