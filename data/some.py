"""Some of the clips of another source: as many as there is time for."""

import numpy as np

from .clips import CaptionedClip, ClipSource


class SomeClips(ClipSource):
    """A number of the clips of a source, drawn once from a seed and kept in their order.

    Args:
        source: Where the clips come from.
        num_clips: How many are taken; all if there are no more.
        seed: >= 0; chooses the clips.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(self, source: ClipSource, num_clips: int, seed: int = 0):
        if num_clips < 1 or seed < 0:
            raise ValueError(f"got num_clips {num_clips}, seed {seed}; wanted at least 1 and 0")
        self.source, self.num_clips, self.seed = source, num_clips, seed
        self.num_frames, self.height, self.width, self.fps = source.num_frames, source.height, source.width, source.fps
        if source.action_space is not None:
            self.action_space = source.action_space
        drawn = np.random.default_rng(seed).permutation(len(source))[:num_clips]
        self._places = np.sort(drawn).tolist()

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)} drawn clips")
        return self.source[self._places[index]]

    def summary(self) -> str:
        return f"{len(self):,} clips drawn from {self.source.summary()}"
