"""`WidgetScreen`: frames in a widget that shows them at their rate, and steers."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import torch
import traitlets
from einops import rearrange

from ...data.images import encode_image
from ...sample import Frame
from .playback import Playback
from .screen import Screen, Status

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "page"


def module() -> str:
    """The front end as one module: a widget cannot import the canvas that the page has too, so its text comes first."""
    canvas, player = (path.read_text(encoding="utf-8") for path in (_PAGE / "canvas.js", _HERE / "player.js"))
    return canvas + player.replace('import { CanvasPlayer } from "./canvas.js";\n', "")


class PlayerWidget(anywidget.AnyWidget):
    """What kernel and front end share of a `Playback`; its names are those of `Status` and of a video."""

    _esm = module()
    _css = _HERE / "player.css"
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    fps = traitlets.Float().tag(sync=True)
    num_frames = traitlets.Int(allow_none=True).tag(sync=True)
    playing = traitlets.Bool().tag(sync=True)
    ended = traitlets.Bool().tag(sync=True)
    prompts: traitlets.List = traitlets.List().tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    take = traitlets.Int().tag(sync=True)


class WidgetScreen(Screen):
    """Sends frames to the views of a widget, and does what is asked there.

    A view counts a frame as shown when it was drawn. So frames are made no faster than somebody looks at them.

    Args:
        playback: Whose frames it shows.

    Attributes:
        widget: What a notebook displays.
        keeps: Lives as long as the widget is looked at.
        was_seen: Whether a front end ever showed it.
    """

    def __init__(self, playback: Playback):
        codec = playback.stream.codec
        self._playback, self._views = playback, 0
        self.keeps: object = None
        self.was_seen = False
        self.widget = PlayerWidget(width=codec.width, height=codec.height, fps=playback.fps, num_frames=playback.num_frames)
        self.widget.on_msg(self._hear)
        self._answers: dict[str, Callable[[dict], object]] = {
            "ready": self._begin_view,
            "gone": self._end_view,
            "shown": lambda message: playback.shown(int(message["index"]), int(message["take"])),
            "play": lambda _: playback.play(),
            "pause": lambda _: playback.pause(),
            "restart": self._begin_anew,
            "prompt": lambda message: playback.set_prompt(str(message["text"])),
        }

    @property
    def bundle(self) -> dict[str, object]:
        """What displays the widget, by mime type."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}

    def show(self, frames: Sequence[Frame], take: int) -> None:
        strip = rearrange(torch.stack([frame.image for frame in frames]), "t h w c -> (t h) w c")
        self.widget.send(
            {"kind": "frames", "first": frames[0].index, "count": len(frames), "take": take}, [encode_image(strip, "png")]
        )

    def tell(self, status: Status) -> None:
        with self.widget.hold_sync():
            self.widget.playing, self.widget.ended = status.playing, status.ended
            self.widget.prompts = [list(prompt) for prompt in status.prompts]
            self.widget.notice, self.widget.error, self.widget.take = status.notice, status.error, status.take

    def close(self) -> None:
        self.keeps = None
        self.widget.close()

    def _hear(self, _widget: PlayerWidget, message: dict, _buffers: list) -> None:
        """Does what a view asks for; what goes wrong is told there."""
        try:
            self._answers[message["kind"]](message)
        except (ValueError, RuntimeError) as error:
            self.widget.error = ""  # the same error again is told again
            self.widget.error = str(error)

    def _begin_view(self, message: dict) -> None:
        """Brings a view up to date: the frame that is to be seen, and those that wait."""
        self._views, self.was_seen = self._views + 1, True
        self._playback.attach(self)
        if message["autoplay"] and not self._playback.begun:
            self._playback.play()
        waiting = self._playback.recent(since=self._playback.num_shown - 1)
        if waiting:
            self.show(waiting, self._playback.take)

    def _begin_anew(self, _message: dict) -> None:
        self._playback.restart()
        self._playback.play()

    def _end_view(self, _message: dict) -> None:
        self._views -= 1
        if self._views == 0:
            self.keeps = None
