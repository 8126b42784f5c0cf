"""Which latent frames of a long clip a step learns from."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...model import VideoLMConfig


@dataclass(frozen=True)
class Window:
    """The first `sink` latent frames of a clip, and those from `sink + gap` up to `end`."""

    sink: int
    gap: int
    end: int

    def learned(self, fork: int, frame_length: int) -> Tensor:
        """bool `[S]`, the tokens of the window that are learned from.

        Those that each clip drew for itself; behind a gap only those that see at least half of what they were drawn from.

        Args:
            fork: First latent frame that a clip does not share with its group.
            frame_length: Tokens of a latent frame.
        """
        later = torch.arange(self.sink + self.gap, self.end)
        frames = torch.cat([torch.arange(self.sink), later])
        learned = frames >= fork
        if self.gap:
            learned[self.sink : self.sink + len(later) // 2] = False
        return learned.repeat_interleave(frame_length)


def draw_window(length: int, fork: int, config: VideoLMConfig) -> Window:
    """A window of clips of so many latent frames, as much as the LM takes at once; the whole clip if it can be.

    Its end is drawn evenly from all those with which there is something to learn.
    """
    most, sink = config.max_parallel_frames, config.sink_frames
    if length <= most:
        return Window(sink, 0, length)
    end = int(torch.randint(max(most, fork + 1), length + 1, ()))
    return Window(sink, end - most, end)
