"""`Player`: a stream that plays in a notebook's cell while it is made, and takes prompts there."""

import importlib.util
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.actions import ActionSpace
from ...sample import Clip, SamplingParams, Stream, TokenWriter, VideoGenerator
from ...sample.past import Past
from ...sample.prompts import Prompt
from ...sample.token_file import SUFFIX
from ...sample.token_header import TokenHeader
from .beginning import Beginning
from .kernel import in_notebook, when_idle
from .pictures import PlainScreen
from .playback import Playback
from .screen import Screen

if TYPE_CHECKING:
    from .widget import WidgetScreen

_PATIENCE_SECONDS = 5.0  # of an idle kernel; a front end with widgets has answered by then


class Player:
    """Plays a video in a notebook's cell while it is made, with a box for prompts that steer it.

    It shows itself if it is the last value of a cell, and plays once it is seen. A thread makes the frames, at the video's
    rate and only while somebody looks. The same seed, prompts and settings give the same tokens as `generator.stream`. The
    thread ends with `close`, or when nothing refers to the player any more: neither a variable nor a cell that shows it.

    Without the package anywidget, or in a front end without widgets, the cell shows pictures, and the methods here steer.

    Args:
        generator: Makes the frames.
        prompt: What the video shows; may change over time, as for `generator.stream`.
        seed: The same seed, prompts and settings give the same tokens.
        params: How tokens are chosen; `None` takes the defaults.
        num_frames: Where the video ends, `1 + temporal_stride * k`; `None` goes on for ever.

    Raises:
        ValueError: A length or prompt is not as above.
    """

    _begin: Beginning
    _playback: Playback

    def __init__(
        self,
        generator: VideoGenerator,
        prompt: Prompt,
        seed: int = 0,
        params: SamplingParams | None = None,
        num_frames: int | None = None,
    ):
        self._take_up(Beginning.of_prompt(generator, prompt, seed, params), num_frames)

    @classmethod
    def of_stream(cls, stream: Stream, num_frames: int | None = None) -> "Player":
        """A player of a stream as it stands: restored, continued, or half played. The stream itself stays where it is.

        Args:
            stream: Where the video begins.
            num_frames: Where it ends, frames of the stream's past included; `None` goes on for ever.

        Raises:
            ValueError: The length is not `1 + temporal_stride * k`, or the stream is as long already.
        """
        (moment,) = stream.branch([stream.seed])
        return cls._beginning(Beginning.of_moment(moment, stream.seed), num_frames)

    @property
    def playing(self) -> bool:
        """Whether frames go on."""
        return self._playback.playing

    @property
    def num_made(self) -> int:
        """How many frames the video has by now; those that wait to be shown are counted."""
        return self._playback.num_made

    @property
    def seed(self) -> int:
        """The seed of the video; `restart` takes another one."""
        return self._playback.status.seed

    @property
    def params(self) -> SamplingParams:
        """How its tokens are chosen; `restart` takes others."""
        return self._playback.status.params

    @property
    def clip(self) -> Clip:
        """The video so far, decoded from its tokens: the same frames.

        Raises:
            ValueError: There is no frame yet.
        """
        past, _ = self._made()
        codec = self._playback.stream.codec
        return Clip(codec.decode(past.tokens), past.tokens, codec.fps, past.prompts[0][1], self.seed, codec.note)

    def play(self) -> None:
        """Goes on; from the beginning if the video had ended.

        Raises:
            RuntimeError: This is no notebook, or making frames had failed.
            ValueError: The player is closed.
        """
        if not in_notebook():
            raise RuntimeError(
                "got a player to play outside a notebook; wanted a cell to show it in; iterate over `generator.stream(...)`, "
                "or use the command `framecast stream`"
            )
        self._playback.play()

    def pause(self) -> None:
        """Makes no more frames until `play`."""
        self._playback.pause()

    def restart(self, seed: int | None = None, params: SamplingParams | None = None) -> None:
        """Begins the video anew; prompts that were set are gone.

        Args:
            seed: Another seed; `None` keeps the seed.
            params: Other settings; `None` keeps the settings.

        Raises:
            ValueError: The player is closed, or the seed or a setting cannot be used; then all stays as it was.
        """
        beginning = self._begin.changed(seed, params)
        self._playback.restart(beginning)
        self._begin = beginning

    def set_prompt(self, prompt: str) -> int:
        """Changes the prompt from the next latent frame on.

        Args:
            prompt: What the video shows now; "it" is the sprite that the prompt before spoke of.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ValueError: The prompt is empty or too long, all frames are made, or the player is closed; the old one stays.
        """
        return self._playback.set_prompt(prompt)

    @property
    def action_space(self) -> ActionSpace | None:
        """What can be done; `None` of a model without actions."""
        return self._playback.action_space

    def act(self, action: object) -> int:
        """Does an action from the next latent frame on, until another is given.

        Args:
            action: As `ActionSpace.action` takes it, such as "left+gas", {"steering": 0.5} or a row; `None` is unknown.

        Returns:
            The index of the first frame for which it holds.

        Raises:
            ValueError: It is none of `action_space`, the model takes none, or the player is closed; the old one holds.
        """
        return self._playback.act(action)

    def branch(self, seed: int) -> "Player":
        """Another future of this moment, from the next latent frame on; it begins and restarts there.

        Raises:
            ValueError: The player is closed.
        """
        return self._beginning(Beginning.of_moment(self._playback.moment(), seed), self._playback.num_frames)

    def save(self, path: str | Path) -> None:
        """Writes the video so far; the suffix says how, as for `Clip.save`. A file `.fct` holds the tokens.

        Raises:
            ValueError: There is no frame yet, or the path is not as for `Clip.save`.
        """
        if Path(path).suffix != SUFFIX:
            self.clip.save(path)
            return
        past, header = self._made()
        with TokenWriter(path, header) as writer:
            writer.append_past(past)

    def close(self) -> None:
        """Ends the thread, and leaves the last half minute in the cell. `clip` and `save` still work."""
        self._finalizer()

    def __repr__(self) -> str:
        state = "closed" if self._playback.closed else "playing" if self.playing else "paused"
        return f"Player({self._playback.status.prompts[-1][1]!r}, {self.num_made} frames, {state})"

    def _ipython_display_(self) -> None:
        if self._playback.closed or not in_notebook():
            print(self)
            return
        widget = self._make_widget()
        output = PlainScreen(self._playback, widget.bundle if widget else {})
        output.open()
        self._screens.insert(0, output)  # before the widget: what an output offers beside it has to go first
        if widget is None:
            _play_plainly(self._playback, output)
            return
        widget.keeps = self
        self._playback.attach(widget)
        when_idle(_PATIENCE_SECONDS, partial(_play_unseen, self._playback, widget, output))

    def _made(self) -> tuple[Past, TokenHeader]:
        """All that was made so far, and what a token file of it says first.

        Raises:
            ValueError: There is no frame yet.
        """
        past, header = self._playback.past()
        if not len(past):
            raise ValueError("got a player without a frame; wanted one at least; show it or `play()`, and ask again")
        return past, header

    @classmethod
    def _beginning(cls, begin: Beginning, num_frames: int | None) -> "Player":
        player = cls.__new__(cls)
        player._take_up(begin, num_frames)
        return player

    def _take_up(self, begin: Beginning, num_frames: int | None) -> None:
        self._begin = begin
        self._playback = playback = Playback(begin, num_frames)
        self._widget: WidgetScreen | None = None
        self._screens: list[Screen] = []
        weakref.finalize(self, playback.close)  # also when Python ends; what follows needs a kernel
        self._finalizer = weakref.finalize(self, _end, playback, self._screens)
        self._finalizer.atexit = False

    def _make_widget(self) -> "WidgetScreen | None":
        """The one widget, of which every cell that shows the player has a view; `None` without the package."""
        if self._widget is None and importlib.util.find_spec("anywidget"):
            from .widget import WidgetScreen

            self._widget = WidgetScreen(self._playback, weakref.ref(self))
            self._screens.append(self._widget)
        return self._widget


def _play_unseen(playback: Playback, widget: "WidgetScreen", output: PlainScreen) -> None:
    """Turns to pictures if no front end has shown the widget."""
    if not widget.was_seen and not playback.closed:
        _play_plainly(playback, output)


def _play_plainly(playback: Playback, output: PlainScreen) -> None:
    """Goes on in pictures, with the frames first that wait for somebody to look."""
    playback.attach(output)
    waiting = playback.recent(since=playback.num_shown)
    if waiting:
        output.show(waiting, playback.take)
    if not playback.begun:
        playback.play()


def _end(playback: Playback, screens: list[Screen]) -> None:
    playback.close()
    for screen in screens:
        screen.close()
