"""Decoded clips, kept in memory as far as they fit."""

from torch import Tensor
from torch.utils.data import get_worker_info


class KeptClips:
    """The frames of clips by index; what does not fit is not kept.

    Args:
        room: Memory in bytes, of which each process that loads clips has its share.
    """

    def __init__(self, room: int):
        self._room = room
        self._frames: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, index: int) -> Tensor | None:
        """The frames of a clip, if they are kept."""
        return self._frames.get(index)

    def keep(self, index: int, frames: Tensor) -> None:
        """Keeps the frames of a clip while there is room; all clips have one size."""
        worker = get_worker_info()
        share = self._room // (worker.num_workers if worker else 1)
        if index not in self._frames and (len(self._frames) + 1) * frames.numel() <= share:
            self._frames[index] = frames

    def forget(self, first: int) -> None:
        """Drops the clips from an index on."""
        self._frames = {index: frames for index, frames in self._frames.items() if index < first}
