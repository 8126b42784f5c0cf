"""The ring of `played_worlds` as an environment of Gymnasium that can be recorded and run again."""

from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
from played_worlds import HEIGHT, SPACE, WIDTH, ring

from framecast.data.worlds import Play, record, world_spec


class RingEnv(gymnasium.Env):
    """Two keys turn a ring of colours; turning right is worth 1, and the episode is over once the ring was turned far."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}  # noqa: RUF012
    action_space = gymnasium.spaces.Discrete(3)
    observation_space = gymnasium.spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    far = 10_000

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._ring, self._turned = ring(seed % 5), 0
        return self.render(), {}

    def step(self, action):
        by = {0: 0, 1: -2, 2: 2}[int(action)]
        self._turned += by
        return self.render(), float(by > 0), abs(self._turned) >= self.far, False, {}

    def render(self):
        return self._ring[:, (self._turned + np.arange(WIDTH)) % self._ring.shape[1]]


def write_recording(folder: Path, episodes: int = 6, frames: int = 48) -> Path:
    """Records the ring, played by random keys that are held."""
    if "Ring-v0" not in gymnasium.registry:
        gymnasium.register("Ring-v0", entry_point=RingEnv)
    spec = replace(world_spec("Ring-v0", size=(HEIGHT, WIDTH)), action_space=SPACE)
    list(record(folder, spec, Play("held", max_frames=frames), episodes=episodes, lossless=True))
    return folder
