"""`WorldEnv`: a world as an environment of Gymnasium."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...data.worlds import gymnasium, mapping_of
from ..generator import VideoGenerator
from ..given import Given
from ..prompts import Prompt
from ..settings import Params
from .episode import Episode, Image, Rules, Starts, checked_mode, checked_seed, restore


class WorldEnv(gymnasium.Env[Image, Any]):
    """A world that a model dreams, as a `gymnasium.Env`. A step is one latent frame under one action; its last frame is seen.

    The same seed and the same actions give the same frames. Reward and end are predicted if the bundle has heads for them;
    otherwise the reward is 0 and no episode ends. The `info` of a step has all frames of the latent frame as "frames". With
    `import framecast`, Gymnasium makes it by its id too: `gymnasium.make("framecast/World-v0", bundle="runs/world/bundle")`.

    Args:
        bundle: A generator of a world, or the folder of its bundle; `None` is the shipped world, if there is one.
        start: Where episodes begin: the name or the number of one of the bundle's starts, or a list of which chance takes one;
            `None` is all of them. If there is none, or the list is empty, the model draws a first frame.
        prompt: What the world shows; `None` is what the start says, or else the caption of all videos of the training.
        max_steps: Steps after which an episode is truncated; `None` is never.
        params: How tokens are chosen, as for `VideoGenerator.stream`; `None` is without guidance, which is fastest.
        first_frames: A picture or frames to begin with, in place of a start, as for `VideoGenerator.stream`.
        end_above: An episode has terminated if the model finds its end likelier than this.
        render_mode: "rgb_array", or `None`.

    Raises:
        ValueError: The model knows no actions, there is no such start, nobody says what is shown, or a number is out of range.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 12}  # noqa: RUF012 - Gymnasium has it so

    def __init__(
        self,
        bundle: VideoGenerator | str | Path | None = None,
        *,
        start: Starts = None,
        prompt: Prompt | None = None,
        max_steps: int | None = 1000,
        params: Params = None,
        first_frames: Given = None,
        end_above: float = 0.5,
        render_mode: str | None = None,
    ):
        self.rules = Rules(bundle, start, prompt, max_steps, params, first_frames, end_above)
        self.generator, self.mapping, self.render_mode = (
            self.rules.generator,
            mapping_of(self.rules.space),
            checked_mode(render_mode),
        )
        self.metadata = {**self.metadata, "render_fps": self.rules.steps_per_second}
        self.action_space = self.mapping.gymnasium
        self.observation_space: gymnasium.Space[Any] = image_space(self.generator)
        self._episode: Episode | None = None

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Image, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Of this episode and of those that follow; `None` goes on.
            options: Nothing is known here; others may wrap this environment.

        Returns:
            The first image uint8 `[H, W, 3]`, and its index and the seed of the stream.

        Raises:
            ValueError: The seed is no whole number, or below 0.
        """
        super().reset(seed=checked_seed(seed))
        if self._episode is not None:
            self._episode.stream.close()
        self._episode = self.rules.begin(self.np_random)
        return self._episode.show(), self._episode.about()

    def step(self, action: Any) -> tuple[Image, float, bool, bool, dict[str, Any]]:
        """Makes one latent frame.

        Args:
            action: One of `action_space`.

        Returns:
            Image, reward, terminated, truncated, info.

        Raises:
            ActionError: The action is none of `action_space`; nothing has happened.
        """
        episode = self._playing("step")
        if episode.over:
            raise gymnasium.error.ResetNeeded("got a step after the end of an episode; wanted a reset: `env.reset()`")
        return episode.note(episode.stream.step(self.mapping.from_env(action)))

    def render(self) -> Image | None:
        """The image that is seen now, if `render_mode` asks for it."""
        image = self._playing("render").show()
        return image if self.render_mode is not None else None

    def get_action_meanings(self) -> Any:
        """What an action does, in words.

        Returns:
            Of `Discrete` a name for each of its actions, of `MultiBinary` a name for each button, of `Box` one for each axis. Of
            `MultiDiscrete` a list of names for each of its numbers. Of `Dict` both, by "buttons" and "axes".
        """
        return self.mapping.meanings

    def snapshot(self) -> bytes:
        """All of this moment, and the chance of the episodes that follow, as bytes, for `restore` in any process."""
        return self._playing("snapshot").snapshot(self.np_random)

    def restore(self, snapshot: bytes) -> Image:
        """Goes back to a moment of an environment of the same bundle; returns its image.

        Raises:
            SnapshotError: The bytes are those of no moment, or of one of another bundle.
        """
        self._episode, self._np_random = restore(self.rules, snapshot)
        return self._episode.show()

    def close(self) -> None:
        """Ends the episode."""
        if self._episode is not None:
            self._episode.stream.close()
        self._episode = None

    def _playing(self, what: str) -> Episode:
        if self._episode is None:
            raise gymnasium.error.ResetNeeded(f"got {what} before the first reset; wanted a reset: `env.reset(seed=0)`")
        return self._episode


def image_space(generator: VideoGenerator) -> "gymnasium.spaces.Box":
    """The space of the frames of a generator."""
    return gymnasium.spaces.Box(0, 255, (generator.height, generator.width, 3), np.uint8)
