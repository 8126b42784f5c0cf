"""`WidgetScreen`: frames in a widget that shows them at their rate, and steers."""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import anywidget
import torch
import traitlets
from einops import rearrange

from ...data.images import encode_image
from ...sample import Frame, SamplingParams
from .playback import Playback
from .screen import Screen, Status

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "page"


_SETTINGS = ("temperature", "guidance_scale", "top_k", "top_p", "decoding")
"""Those that the front end has fields for; others stay as they are."""


def module() -> str:
    """The front end as one module: a widget cannot import files, such as the canvas that the page has too, so all are joined."""
    shared = ("canvas", "hand", "gamepad", "pad", "meter", "controls")
    files = (*(_PAGE / f"{name}.js" for name in shared), _HERE / "fields.js", _HERE / "player.js")
    return "".join(re.sub(r"^import .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE) for path in files)


class Saver(Protocol):
    """A player, as far as a widget changes it beside its playback."""

    def restart(self, seed: int | None = None, params: SamplingParams | None = None) -> None:
        """Begins anew."""

    def save(self, path: str | Path) -> None:
        """Writes the video so far."""


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
    seed = traitlets.Unicode().tag(sync=True)  # JavaScript has no integers of 63 bits
    settings: traitlets.Dict = traitlets.Dict().tag(sync=True)
    action_space: traitlets.Dict = traitlets.Dict(allow_none=True).tag(sync=True)


class WidgetScreen(Screen):
    """Sends frames to the views of a widget, and does what is asked there.

    A view counts a frame as shown when it was drawn. So frames are made no faster than somebody looks at them.

    Args:
        playback: Whose frames it shows.
        player: Gives the player of that playback, which the widget must not keep alive; `None` once it is gone.

    Attributes:
        widget: What a notebook displays.
        keeps: Lives as long as the widget is looked at.
        was_seen: Whether a front end ever showed it.
    """

    def __init__(self, playback: Playback, player: Callable[[], Saver | None]):
        codec = playback.stream.codec
        self._playback, self._player, self._views = playback, player, 0
        self.keeps: object = None
        self.was_seen = False
        space = playback.action_space
        self.widget = PlayerWidget(
            width=codec.width,
            height=codec.height,
            fps=playback.fps,
            num_frames=playback.num_frames,
            action_space=None if space is None else space.to_json(),
        )
        self.widget.on_msg(self._hear)
        self._answers: dict[str, Callable[[dict], object]] = {
            "ready": self._begin_view,
            "gone": self._end_view,
            "shown": lambda message: playback.shown(int(message["index"]), int(message["take"])),
            "play": lambda _: playback.play(),
            "pause": lambda _: playback.pause(),
            "restart": self._begin_anew,
            "control": self._hold,
            "prompt": lambda message: playback.set_prompt(str(message["text"])),
            "save": lambda message: self._save(str(message["path"])),
            "download": lambda message: self._download(str(message["path"])),
        }

    @property
    def bundle(self) -> dict[str, object]:
        """What displays the widget, by mime type."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {"application/vnd.jupyter.widget-view+json": view}

    def show(self, frames: Sequence[Frame], take: int) -> None:
        strip = rearrange(torch.stack([frame.image for frame in frames]), "t h w c -> (t h) w c")
        about = {"kind": "frames", "first": frames[0].index, "count": len(frames), "take": take, "clock": self._playback.clock}
        self.widget.send(about, [encode_image(strip, "png")])

    def tell(self, status: Status) -> None:
        with self.widget.hold_sync():
            self.widget.playing, self.widget.ended = status.playing, status.ended
            self.widget.prompts = [list(prompt) for prompt in status.prompts]
            self.widget.notice, self.widget.error, self.widget.take = status.notice, status.error, status.take
            self.widget.seed = str(status.seed)
            self.widget.settings = {name: value for name, value in asdict(status.params).items() if name in _SETTINGS}

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
        if not self._playback.begun:
            self._playback.begin_by_hand()
        if message["autoplay"] and not self._playback.begun:
            self._playback.play()
        waiting = self._playback.recent(since=self._playback.num_shown - 1)
        if waiting:
            self.show(waiting, self._playback.take)

    def _begin_anew(self, message: dict) -> None:
        """Begins the video anew, with the seed and the settings that a view may name."""
        if "seed" in message:
            status = self._playback.status
            changes = {name: value for name, value in dict(message["settings"]).items() if name in _SETTINGS}
            self._owner().restart(_whole_seed(message["seed"]), replace(status.params, **changes))
        else:
            self._playback.restart()
        self._playback.begin_by_hand()
        self._playback.play()

    def _hold(self, message: dict) -> None:
        """Does what a hand holds."""
        space = self._playback.action_space
        if space is None:
            raise ValueError("got a control for a model without actions; wanted a prompt")
        held = {**dict.fromkeys(message["buttons"], True), **message["axes"]}
        self._playback.hold(space.action(held), float(message["clock"]))

    def _save(self, name: str) -> None:
        """Writes the video where the kernel runs; an older file stays."""
        path = Path(name).expanduser()
        if path.exists():
            raise ValueError(f"got {path}, which is there already; wanted a new name; `player.save(path)` writes over a file")
        self._owner().save(path)
        self._playback.tell(f"Saved as {path.resolve()}.")

    def _download(self, name: str) -> None:
        """Sends the video to where the front end is."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            self._owner().save(path)
            self.widget.send({"kind": "file", "name": path.name}, [path.read_bytes()])
        self._playback.tell(f"Downloaded as {path.name}.")

    def _owner(self) -> Saver:
        player = self._player()
        if player is None:
            raise ValueError("got a player that is gone; wanted one that is kept; run the cell again")
        return player

    def _end_view(self, _message: dict) -> None:
        self._views -= 1
        if self._views == 0:
            self.keeps = None


def _whole_seed(text: object) -> int:
    """The seed that somebody typed; whether it is in its range is checked where it is used."""
    try:
        return int(str(text))
    except ValueError as error:
        raise ValueError(f"got the seed {str(text)[:40]!r}; wanted a whole number from 0 on") from error
