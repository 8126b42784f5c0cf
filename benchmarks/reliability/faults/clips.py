"""Sources of clips of which one is read amiss."""

import os
import signal
import time
from pathlib import Path

from framecast.data import CaptionedClip, SpriteWorld

from .signals import send

_LONG = 600  # seconds


class _Clips(SpriteWorld):
    """Something happens when one of its clips is read.

    Args:
        note: The file that tells when it has happened.
        bad: The clip.
        number: The signal, if one is sent.
        options: As of `SpriteWorld`.
    """

    def __init__(self, note: str, bad: int = 7, number: int = 0, num_clips: int = 64, num_frames: int = 5, size: int = 32):
        super().__init__(num_clips, num_frames, size)
        self._note, self._bad, self._number = Path(note), bad, number

    def __getitem__(self, index: int) -> CaptionedClip:
        if index == self._bad:
            self._fail()
        return super().__getitem__(index)

    def _fail(self) -> None:
        raise NotImplementedError

    def _tell(self) -> None:
        self._note.write_text(str(time.time()))


class RaisingClips(_Clips):
    """One clip raises."""

    def _fail(self) -> None:
        self._tell()
        raise KeyError("no such frame")


class DyingClips(_Clips):
    """One clip kills the process that reads it."""

    def _fail(self) -> None:
        self._tell()
        os.kill(os.getpid(), signal.SIGKILL)


class HangingClips(_Clips):
    """One clip never comes."""

    def _fail(self) -> None:
        self._tell()
        _sleep()


class WaitedForClips(_Clips):
    """One clip never comes, and while it is waited for the training gets a signal."""

    def _fail(self) -> None:
        time.sleep(0.5)
        send(self._note, self._number)
        _sleep()


class InterruptedClips(_Clips):
    """When one clip is read, the training gets a signal."""

    def _fail(self) -> None:
        send(self._note, self._number)


class OpeningClips(_Clips):
    """While the source is opened, which takes long, a signal comes."""

    def __init__(self, note: str, number: int, num_clips: int = 64, num_frames: int = 5, size: int = 32):
        super().__init__(note, -1, number, num_clips, num_frames, size)
        send(self._note, self._number)
        _sleep()


def _sleep() -> None:
    """As good as for ever, in parts that signals end."""
    for _ in range(10 * _LONG):
        time.sleep(0.1)
