"""`Stride`: how frames and latent frames are counted. The first frame has a latent frame of its own."""

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Stride:
    """The temporal stride of a tokenizer: every latent frame after the first stands for so many frames.

    Attributes:
        frames: Frames of every latent frame but the first, >= 1.
    """

    frames: int

    def latent_index(self, frame: int) -> int:
        """The latent frame that a frame belongs to; a frame between two latent frames belongs to the later one."""
        return -(-frame // self.frames)

    def num_frames(self, num_latent_frames: int) -> int:
        """Frames of a video of so many latent frames; also the index of the first frame of the latent frame of that index."""
        return max(0, 1 + (num_latent_frames - 1) * self.frames)

    def num_latent_frames(self, num_frames: int) -> int:
        """Latent frames of a video of so many frames.

        Raises:
            ValueError: `num_frames` is not a whole number `1 + frames * k`.
        """
        if isinstance(num_frames, bool) or not hasattr(num_frames, "__index__"):
            raise ValueError(f"got {num_frames!r} as the number of frames of a video; wanted a whole number, 1 + {self.frames}k")
        try:
            num_frames = operator.index(num_frames)  # numpy's numbers become plain ones
        except TypeError as error:
            raise ValueError(f"got {num_frames!r:.60} as the number of frames of a video; wanted a whole number") from error
        shorter = self.trimmed(num_frames)
        if num_frames != shorter:
            raise ValueError(
                f"got a video of {num_frames} frames; wanted 1 + {self.frames}k frames, the tokenizer's temporal stride; trim to "
                f"{shorter} or pad to {shorter + self.frames} with `pad_frames`"
            )
        return 1 + (num_frames - 1) // self.frames

    def trimmed(self, num_frames: int) -> int:
        """The largest length that a tokenizer takes, of those up to `num_frames`; at least 1."""
        return max(num_frames - 1, 0) // self.frames * self.frames + 1

    def missing(self, num_frames: int) -> int:
        """How many frames lack to the next length that a tokenizer takes."""
        return -(num_frames - 1) % self.frames

    def group(self, actions: "Tensor") -> "Tensor":
        """Actions of a video, frame by frame, as those of its latent frames; undone by `ungroup`.

        The first latent frame stands for the first frame, repeated in front. The actions of the repetitions are unknown.

        Args:
            actions: float `[T, A]`, T = 1 + frames * k.

        Returns:
            `[1 + k, frames, A]`; NaN is unknown.

        Raises:
            ValueError: The number of frames is not such a number.
        """
        num_latent_frames = self.num_latent_frames(len(actions))
        grouped = actions.new_full((num_latent_frames * self.frames, actions.shape[1]), float("nan"))
        grouped[self.frames - 1 :] = actions
        return grouped.unflatten(0, (num_latent_frames, self.frames))

    def ungroup(self, grouped: "Tensor") -> "Tensor":
        """Actions of latent frames `[1 + k, frames, A]`, from the first one of a video on, as those of its frames `[T, A]`."""
        return grouped.flatten(0, 1)[self.frames - 1 :]
