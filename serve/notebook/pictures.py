"""`PlainScreen`: frames as pictures in a cell's output, for front ends without widgets."""

import base64
import html
import threading
import time
from collections.abc import Sequence

import torch

from ...data import encode_webp
from ...sample import Frame
from .kernel import Handle, open_output
from .playback import Playback
from .screen import Screen, Status

_SHOWN_HEIGHT = 256  # pixels on a notebook's page
_UNATTENDED_SECONDS = 30.0


class PlainScreen(Screen):
    """Shows each latent frame as a picture that moves once, at the video's rate; at rest, all of the last half minute.

    Nothing tells whether somebody looks, so it pauses by itself after half a minute.

    Args:
        playback: Whose frames it shows.
        richer: Other mime types to offer beside the picture, to front ends that know them.
    """

    def __init__(self, playback: Playback, richer: dict[str, object] | None = None):
        self._playback, self._richer = playback, richer or {}
        self._handle: Handle | None = None
        self._publishing = threading.Lock()  # what moves must not come after what rests
        self._due = 0.0
        self._unattended = 0  # frames

    def open(self) -> None:
        """Adds the output to the cell that runs."""
        self._handle = open_output(self.bundle([]))

    def show(self, frames: Sequence[Frame], take: int) -> None:
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = time.monotonic() + len(frames) / self._playback.fps
        with self._publishing:
            if take == self._playback.take and self._playback.playing:
                self._publish(self.bundle(frames, loops=1))
        self._playback.shown(frames[-1].index, take)
        self._unattended += len(frames)
        if self._unattended >= _UNATTENDED_SECONDS * self._playback.fps:
            self._playback.pause()

    def tell(self, status: Status) -> None:
        if not status.playing:
            self._unattended = 0
            with self._publishing:
                self._publish(self.bundle(self._playback.recent()))

    def close(self) -> None:
        """Leaves the last half minute in the output, and nothing that needs a kernel."""
        self._richer = {}
        self._publish(self.bundle(self._playback.recent()))

    def bundle(self, frames: Sequence[Frame], loops: int = 0) -> dict[str, object]:
        """What an output shows, by mime type.

        Args:
            frames: All of one size; may be none.
            loops: How often they play; 0 is for ever.
        """
        lines = [picture_html(frames, self._playback.fps, loops)] if frames else []
        lines.append(f"<div>{html.escape(self.caption(frames))}</div>")
        return {**self._richer, "text/html": "\n".join(lines), "text/plain": self.caption(frames)}

    def caption(self, frames: Sequence[Frame]) -> str:
        """One line: the prompt, the last of these frames, and what goes on."""
        status = self._playback.status
        parts = [f"“{status.prompts[-1][1]}”"]
        parts += [f"frame {frames[-1].index}"] if frames else []
        if status.error:
            parts.append(status.error)
        elif self._playback.closed:
            parts.append("closed")
        elif not self._playback.begun:
            parts.append("run the cell to see it play")
        else:
            parts.append("playing" if status.playing else "ended" if status.ended else "paused: `play()` goes on")
        return " · ".join(parts)

    def _publish(self, bundle: dict[str, object]) -> None:
        if self._handle is not None:
            self._handle.update(bundle, raw=True)


def picture_html(frames: Sequence[Frame], fps: float, loops: int) -> str:
    """Frames as a lossless moving picture; a prompt is text of a stranger and does not get in."""
    data = base64.b64encode(encode_webp(torch.stack([frame.image for frame in frames]), fps, loops)).decode()
    return (
        f'<img src="data:image/webp;base64,{data}" alt="generated video" '
        f'style="height: {_SHOWN_HEIGHT}px; image-rendering: pixelated">'
    )
