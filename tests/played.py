"""Clips with actions that tell which frame they belong to, for tests."""

import torch

from framecast.data import ActionSpace, Axis, Button, Caption, CaptionedClip, ClipSource

SPACE = ActionSpace((Button("gas"),), (Axis("steering"),))


class Played(ClipSource):
    """Grey clips. If there is a space, the last number of row t of clip i is i / 100 + t / 1000, and its reward is t.

    Args:
        num_clips: How many there are.
        space: What the actions are; None leaves out actions, rewards and ends.
        num_frames: Frames of a clip.
        fps: Frames per second.
        name: With which the names of the clips begin.
    """

    height = width = 32

    def __init__(
        self, num_clips: int, space: ActionSpace | None = SPACE, num_frames: int = 5, fps: float = 12.0, name: str = "played"
    ):
        self.num_clips, self.action_space, self.num_frames, self.fps, self.name = num_clips, space, num_frames, fps, name

    def __len__(self) -> int:
        return self.num_clips

    def __getitem__(self, index: int) -> CaptionedClip:
        frames = torch.full((self.num_frames, 32, 32, 3), 8 * index, dtype=torch.uint8)
        return CaptionedClip(frames, (Caption(0, ""),), self.fps, f"{self.name}{index}", **self._steps(index))

    def _steps(self, index: int) -> dict[str, torch.Tensor]:
        if self.action_space is None:
            return {}
        actions = torch.zeros(self.num_frames, self.action_space.size)
        actions[:, -1] = index / 100 + torch.arange(self.num_frames) / 1000
        rewards = torch.arange(float(self.num_frames))
        actions[0], rewards[0] = torch.nan, torch.nan
        return {"actions": actions, "rewards": rewards, "ends": torch.arange(self.num_frames) == self.num_frames - 1}
