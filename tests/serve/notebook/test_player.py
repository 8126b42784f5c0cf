"""`Player`: what `stream` makes, at the rate at which it is shown, steered while it plays."""

import asyncio
import base64
import gc
import io
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import nbformat
import numpy as np
import pytest
import tiny_bundle
import tiny_world
import torch
from nbclient import NotebookClient
from PIL import Image
from torch import Tensor

import framecast.serve
from framecast.sample import SamplingParams, VideoGenerator, read_tokens
from framecast.serve import Player
from framecast.serve.notebook import player as player_module
from framecast.serve.notebook.kernel import in_notebook, when_idle
from framecast.serve.notebook.playback import Playback
from framecast.serve.notebook.screen import NoScreen, Screen
from framecast.serve.notebook.turns import Turns

REPO = Path(__file__).resolve().parents[3]
PROMPT, OTHER = "a red circle moves right", "a blue square moves up"
PARAMS = SamplingParams(temperature=1.0, decoding="frame")
WAITING = 13  # frames: nine wait at 12 frames per second when the last four are begun


def fast_generator(fps: float = 240.0) -> VideoGenerator:
    """The tiny generator, for videos of another rate."""
    parts = tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer()
    return VideoGenerator(*parts, tiny_bundle.HEIGHT, tiny_bundle.WIDTH, fps)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


def rests(playback: Playback) -> int:
    """The frames that a playback has made once it makes no more."""
    made = -1
    while playback._wanted or made != playback.num_made:
        made = playback.num_made
        time.sleep(0.15)
    return made


def player_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "framecast-player"]


def images_of(num_frames: int, prompt: str = PROMPT, seed: int = 0) -> Tensor:
    """The first frames of a plain stream, uint8 `[T, H, W, 3]`."""
    stream = tiny_bundle.generator().stream(prompt, seed, PARAMS)
    return torch.stack([frame.image for frame in islice(stream, num_frames)])


class Eager(NoScreen):
    """Shows frames as soon as they come, until it is told to wait."""

    def __init__(self, playback: Playback, num_frames: int = 10**9):
        self.playback, self.num_frames, self.frames, self.statuses = playback, num_frames, [], []

    def show(self, frames, take):
        self.frames += frames
        if frames[-1].index < self.num_frames:
            self.playback.shown(frames[-1].index, take)

    def tell(self, status):
        self.statuses.append(status)


class Output:
    """A cell's output: what it showed, one after the other."""

    def __init__(self, bundle: dict):
        self.bundles = [bundle]

    def update(self, bundle: dict, *, raw: bool) -> None:
        assert raw
        self.bundles.append(bundle)

    def pictures(self) -> list[Image.Image]:
        found = [re.findall(r'data:image/webp;base64,([^"]+)"', str(bundle["text/html"])) for bundle in self.bundles]
        return [Image.open(io.BytesIO(base64.b64decode(data))) for pictures in found for data in pictures]


class FrontEnd:
    """Views of a player's widget: takes what is sent, and counts frames as drawn while it looks."""

    def __init__(self, player: Player, monkeypatch: pytest.MonkeyPatch):
        self.widget, self.frames, self.looks = player._widget.widget, {}, True
        monkeypatch.setattr(self.widget, "send", self.receive)

    def ask(self, kind: str, **message: object) -> None:
        self.widget._handle_custom_msg({"kind": kind, **message}, [])

    def receive(self, message: dict, buffers: list[bytes]) -> None:
        strip = np.asarray(Image.open(io.BytesIO(buffers[0])))
        for i, image in enumerate(np.split(strip, message["count"])):
            self.frames[message["first"] + i] = torch.from_numpy(image.copy())
        if self.looks:
            self.ask("shown", index=message["first"] + message["count"] - 1, take=message["take"])


@pytest.fixture
def notebook(monkeypatch) -> list[Output]:
    """A notebook around: the outputs that its cells have."""
    outputs: list[Output] = []
    monkeypatch.setattr("framecast.serve.notebook.player.in_notebook", lambda: True)
    monkeypatch.setattr(
        "framecast.serve.notebook.pictures.open_output", lambda bundle: outputs.append(Output(bundle)) or outputs[-1]
    )
    return outputs


@pytest.fixture
def no_widgets(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    if player_threads():
        gc.collect()
    assert player_threads() == []


@pytest.fixture
def playback() -> Iterator[Playback]:
    made = Playback(lambda: tiny_bundle.generator().stream(PROMPT, 0, PARAMS))
    yield made
    made.close()


@pytest.fixture
def player(notebook) -> Iterator[Player]:
    made = Player(tiny_bundle.generator(), PROMPT, params=PARAMS)
    yield made
    made.close()


def test_frames_are_those_of_the_stream(playback):
    screen = Eager(playback)
    playback.attach(screen)
    playback.play()
    until(lambda: len(screen.frames) >= 21, "21 frames are made")
    playback.close()
    made = screen.frames[:21]
    assert [frame.index for frame in made] == list(range(21))
    assert torch.equal(torch.stack([frame.image for frame in made]), images_of(21))


def test_nothing_is_made_before_play(playback):
    playback.attach(Eager(playback))
    time.sleep(0.2)
    assert playback.num_made == 0 and len(playback.past()[0]) == 0


def test_frames_that_wait_are_bounded(playback):
    playback.play()
    assert rests(playback) == WAITING
    playback.shown(3, take=0)
    assert rests(playback) == WAITING + 4
    assert [frame.index for frame in playback.recent(since=playback.num_shown)] == list(range(4, WAITING + 4))


def test_what_is_kept_is_bounded():
    playback = Playback(lambda: fast_generator(fps=2.0).stream(PROMPT, 0, PARAMS))
    playback.attach(Eager(playback))
    playback.play()
    until(lambda: playback.num_made > 100, "100 frames are made")
    playback.close()
    assert len(playback.recent()) == 60  # half a minute


def test_control_unbounded_without_waiting(playback):
    """A screen that shows at once is never waited for: the bound above is the screen's."""
    playback.attach(Eager(playback))
    playback.play()
    until(lambda: playback.num_made > 3 * WAITING, "more are made than would wait")


def test_a_new_prompt_gives_what_the_stream_gives(playback):
    screen = Eager(playback, num_frames=20)
    playback.attach(screen)
    playback.play()
    rests(playback)
    holds_from = playback.set_prompt(OTHER)
    assert holds_from == playback.num_made
    assert playback.status.prompts == ((0, PROMPT), (holds_from, OTHER))
    assert playback.status.notice == f"“{OTHER}” holds from frame {holds_from}."
    screen.num_frames = 10**9
    playback.shown(holds_from - 1, take=0)
    until(lambda: playback.num_made > holds_from + 20, "more frames are made")
    playback.close()
    stream = tiny_bundle.generator().stream(PROMPT, 0, PARAMS)
    for _ in range(holds_from):
        next(stream)
    assert stream.set_prompt(OTHER) == holds_from
    wanted = [next(stream) for _ in range(20)]
    past, _ = playback.past()
    tokens, prompts = past.tokens, past.prompts
    assert torch.equal(tokens[: len(stream.tokens)], stream.tokens)
    assert prompts == stream.prompts
    assert torch.equal(screen.frames[holds_from + 19].image, wanted[19].image)
    assert not torch.equal(screen.frames[holds_from + 19].image, images_of(holds_from + 20)[-1])  # control


def test_a_prompt_can_be_set_before_the_first_frame(player):
    assert player.set_prompt(OTHER) == 0
    assert player._playback.status.prompts == ((0, OTHER),)
    player.play()
    until(lambda: player.num_made >= 9, "frames are made")
    assert torch.equal(player.clip.frames[:9], images_of(9, OTHER))


def test_pause_stops_making(playback):
    playback.attach(Eager(playback))
    playback.play()
    until(lambda: playback.num_made > 20, "it plays")
    playback.pause()
    made = rests(playback)
    assert not playback.playing
    time.sleep(0.3)
    assert playback.num_made == made
    playback.play()
    until(lambda: playback.num_made > made, "it goes on")


def test_a_video_with_an_end_ends_and_begins_anew():
    playback = Playback(lambda: tiny_bundle.generator().stream(PROMPT, 0, PARAMS), num_frames=21)
    screen = Eager(playback)
    playback.attach(screen)
    playback.play()
    until(lambda: playback.status.ended, "it ends")
    assert (playback.num_made, playback.playing, screen.statuses[-1].ended) == (21, False, True)
    with pytest.raises(ValueError, match=r"whose 21 frames are all made; wanted one that goes on; `restart\(\)`"):
        playback.set_prompt(OTHER)
    playback.play()
    until(lambda: playback.status.ended, "it ends again")
    playback.close()
    assert playback.take == 1 and len(screen.frames) == 42
    assert all(torch.equal(a.image, b.image) for a, b in zip(screen.frames[:21], screen.frames[21:], strict=True))


def test_a_restart_forgets_what_was_shown_and_asked(playback):
    playback.set_prompt(OTHER)
    playback.play()
    rests(playback)
    playback.restart()
    assert playback.status.prompts == ((0, PROMPT),) and playback.status.notice == ""
    assert rests(playback) == WAITING
    playback.shown(12, take=0)  # of the take before
    assert playback.num_shown == 0
    playback.shown(12, take=1)
    assert playback.num_shown == 13


def test_close_ends_the_thread_and_keeps_the_video(player, tmp_path):
    player.play()
    until(lambda: player.num_made >= 9, "frames are made")
    player.close()
    assert player_threads() == []
    assert repr(player) == f"Player('{PROMPT}', {player.num_made} frames, closed)"
    assert torch.equal(player.clip.frames, images_of(player.num_made))
    player.save(tmp_path / "clip.png")
    assert Image.open(tmp_path / "clip.png").n_frames == player.num_made
    player.close()
    for verb in (player.play, player.restart, lambda: player.set_prompt(OTHER), lambda: player.branch(1)):
        with pytest.raises(ValueError, match="of a closed player; wanted an open one; make another `Player`"):
            verb()


def test_a_deleted_player_ends_its_thread(notebook):
    player = Player(tiny_bundle.generator(), PROMPT, params=PARAMS)
    player.play()
    thread = player._playback._thread
    assert thread.is_alive() and thread.daemon
    del player
    gc.collect()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_the_clip_is_what_generate_gives(player):
    with pytest.raises(ValueError, match="got a player without a frame; wanted one at least; show it or"):
        _ = player.clip
    player.play()
    rests(player._playback)
    clip, wanted = player.clip, tiny_bundle.generator().generate(PROMPT, WAITING, 0, PARAMS)
    assert torch.equal(clip.frames, wanted.frames) and torch.equal(clip.tokens, wanted.tokens)
    assert (clip.fps, clip.prompt, clip.seed) == (wanted.fps, wanted.prompt, wanted.seed)


def test_a_branch_is_another_future_of_the_moment(player):
    player.play()
    made = rests(player._playback)
    same, other = player.branch(0), player.branch(5)
    for branch in (same, other):
        assert branch.num_made == made and not branch.playing
        branch.play()
        rests(branch._playback)
    assert torch.equal(same.clip.frames, images_of(same.num_made))
    assert torch.equal(other.clip.tokens[: len(player.clip.tokens)], player.clip.tokens)
    assert not torch.equal(other.clip.tokens, same.clip.tokens) and other.clip.seed == 5
    other.restart()
    assert other.num_made <= made + 4 and player.num_made == made
    same.close()
    other.close()


def test_a_player_of_a_stream_goes_on_where_it_stands(notebook):
    stream = tiny_bundle.generator().stream(PROMPT, 0, PARAMS)
    for _ in range(7):  # in the middle of a latent frame
        next(stream)
    player = Player.of_stream(stream, num_frames=21)
    assert player.num_made == 7
    screen = Eager(player._playback)
    player._playback.attach(screen)
    player.play()
    until(lambda: not player.playing, "it ends")
    assert [frame.index for frame in screen.frames] == list(range(7, 21))
    assert torch.equal(torch.stack([frame.image for frame in screen.frames]), images_of(21)[7:])
    assert len(stream.tokens) == 3
    player.close()
    with pytest.raises(ValueError, match="got num_frames 5 for a stream that has 7 already; wanted more; leave it out"):
        Player.of_stream(stream, num_frames=5)


def test_bad_beginnings_are_refused_at_once():
    generator = tiny_bundle.generator()
    with pytest.raises(ValueError, match="20"):
        Player(generator, PROMPT, num_frames=20)
    with pytest.raises(ValueError, match="empty"):
        Player(generator, "")


def test_outside_a_notebook_it_says_what_to_do(capsys):
    player = Player(tiny_bundle.generator(), PROMPT)
    assert not in_notebook()
    with pytest.raises(RuntimeError, match=r"to play outside a notebook; wanted a cell .*; iterate over `generator.stream"):
        player.play()
    player._ipython_display_()
    assert capsys.readouterr().out == f"Player('{PROMPT}', 0 frames, paused)\n" == f"{player!r}\n"


def test_what_goes_wrong_in_the_thread_is_told(playback, monkeypatch):
    screen = Eager(playback)
    playback.attach(screen)
    playback.play()
    until(lambda: playback.num_made >= 5, "it plays")
    with monkeypatch.context() as broken:
        broken.setattr(type(playback.stream), "__next__", lambda _: 1 / 0)
        until(lambda: not playback.playing, "it stops")
    wanted = rf"the video stopped before frame {playback.num_made}: ZeroDivisionError: division by zero"
    assert re.fullmatch(wanted, screen.statuses[-1].error)
    with pytest.raises(RuntimeError, match=rf"{wanted}; nothing can follow; `restart\(\)` begins anew"):
        playback.play()
    playback.restart()
    playback.play()
    until(lambda: playback.num_made >= 5, "it plays again")
    assert screen.statuses[-1].error == ""


def test_turns_go_round():
    """A thread that makes frames without a rest must not keep a prompt waiting: a plain lock does."""
    turns, stop, taken = Turns(), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            with turns.turn():
                taken.append(time.sleep(0.01))

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: len(taken) > 3, "the thread works")
    waits = []
    for _ in range(10):
        before = len(taken)
        with turns.turn():
            waits.append(len(taken) - before)
    stop.set()
    thread.join()
    assert max(waits) <= 2, waits


def test_without_widgets_the_cell_shows_pictures(notebook, no_widgets):
    player = Player(fast_generator(), PROMPT, params=PARAMS, num_frames=21)
    player._ipython_display_()
    (output,) = notebook
    until(lambda: output.bundles[-1]["text/plain"].endswith("· ended"), "it ends")
    *moving, still = output.pictures()
    assert {(picture.format, picture.size) for picture in (*moving, still)} == {("WEBP", (24, 16))}
    assert [getattr(picture, "n_frames", 1) for picture in moving] == [1, 4, 4, 4, 4, 4]
    assert still.n_frames == 21 and still.info["loop"] == 0 and moving[1].info["loop"] == 1
    still.seek(20)
    assert torch.equal(torch.from_numpy(np.array(still.convert("RGB"))), images_of(21)[20])
    assert output.bundles[-1]["text/plain"] == f"“{PROMPT}” · frame 20 · ended"
    player.close()
    assert set(output.bundles[-1]) == {"text/html", "text/plain"} and output.pictures()[-1].n_frames == 21


def test_pictures_come_at_the_videos_rate(notebook, no_widgets):
    player = Player(fast_generator(fps=40.0), PROMPT, params=PARAMS, num_frames=21)
    began = time.monotonic()
    player._ipython_display_()
    until(lambda: not player.playing, "it ends")
    assert time.monotonic() - began > 16 / 40.0  # the last latent frame has still to be seen
    player.close()


def test_pictures_pause_where_nothing_tells_that_somebody_looks(notebook, no_widgets, monkeypatch):
    monkeypatch.setattr("framecast.serve.notebook.pictures._UNATTENDED_SECONDS", 0.1)
    player = Player(fast_generator(), PROMPT, params=PARAMS)
    player._ipython_display_()
    until(lambda: notebook[0].bundles[-1]["text/plain"].endswith("· paused: `play()` goes on"), "it pauses")
    made = rests(player._playback)
    assert 24 <= made <= 33
    player.play()
    until(lambda: player.num_made > made, "it goes on")
    player.close()


def test_frames_that_waited_are_shown_first(notebook, no_widgets):
    player = Player(tiny_bundle.generator(), PROMPT, params=PARAMS)
    player.play()
    assert rests(player._playback) == WAITING
    player._ipython_display_()
    assert notebook[0].pictures()[0].n_frames == WAITING
    until(lambda: player.num_made > WAITING, "it goes on")
    player.close()


def test_a_prompt_is_text_and_not_markup(notebook, no_widgets):
    player = Player(tiny_bundle.generator(), "a <b>red</b> ring", params=PARAMS)
    player.pause()
    player._ipython_display_()
    assert {bundle["text/html"] for bundle in notebook[0].bundles} == {
        "<div>“a &lt;b&gt;red&lt;/b&gt; ring” · paused: `play()` goes on</div>"
    }
    player.close()


def test_a_widget_plays_once_it_is_seen(player, notebook, monkeypatch):
    player._ipython_display_()
    bundle = notebook[0].bundles[0]
    assert list(bundle) == ["application/vnd.jupyter.widget-view+json", "text/html", "text/plain"]
    front = FrontEnd(player, monkeypatch)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == front.widget.model_id
    time.sleep(0.1)
    assert not player.playing and player.num_made == 0
    front.ask("ready", autoplay=True)
    until(lambda: len(front.frames) >= 21, "21 frames come")
    assert torch.equal(torch.stack([front.frames[i] for i in range(21)]), images_of(21))
    front.ask("pause")
    assert front.widget.playing is player.playing is False
    shown, front.looks = rests(player._playback), False
    front.ask("play")
    assert rests(player._playback) == shown + 12, "nobody looks"


def test_a_widget_takes_prompts_and_tells_what_is_wrong_with_them(player, monkeypatch):
    player._ipython_display_()
    front = FrontEnd(player, monkeypatch)
    front.ask("ready", autoplay=False)
    assert not player.playing
    front.ask("prompt", text=OTHER)
    assert front.widget.notice == f"“{OTHER}” holds from frame 0." and front.widget.prompts == [[0, OTHER]]
    told = []
    front.widget.observe(lambda change: told.append(change.new), "error")
    for _ in range(2):
        front.ask("prompt", text=" ")
    assert len([text for text in told if "empty" in text]) == 2, "the same error is told again"
    assert front.widget.prompts == [[0, OTHER]]
    front.ask("prompt", text=PROMPT)
    assert front.widget.error == ""


def test_a_late_view_is_brought_up_to_date(player, monkeypatch):
    player._ipython_display_()
    front = FrontEnd(player, monkeypatch)
    front.ask("ready", autoplay=True)
    until(lambda: player.num_made > 30, "it plays")
    front.ask("pause")
    made = rests(player._playback)
    front.frames.clear()
    front.looks = False
    front.ask("ready", autoplay=True)
    assert list(front.frames) == [made - 1] and not player.playing
    front.ask("restart")
    until(lambda: list(front.frames)[-1] == WAITING - 1, "it begins anew")
    assert front.widget.take == 1


def test_a_widget_keeps_its_player_while_it_is_seen(notebook, monkeypatch):
    player = Player(tiny_bundle.generator(), PROMPT, params=PARAMS)
    player._ipython_display_()
    front, dead = FrontEnd(player, monkeypatch), weakref.ref(player)
    front.ask("ready", autoplay=True)
    front.ask("ready", autoplay=True)
    del player
    gc.collect()
    assert dead() is not None
    front.ask("gone")
    assert dead() is not None
    front.ask("gone")
    gc.collect()
    assert dead() is None
    assert "application/vnd.jupyter.widget-view+json" not in notebook[0].bundles[-1]


def test_the_front_end_is_one_module():
    widget = pytest.importorskip("framecast.serve.notebook.widget")
    text = widget.module()
    assert "class CanvasPlayer" in text and "export default { render }" in text
    assert not re.search(r"^import|import\(", text, re.MULTILINE), "a widget cannot import a file"
    assert re.search(r"^import", (Path(widget.__file__).parent / "player.js").read_text(), re.MULTILINE)  # control


def test_a_front_end_without_widgets_gets_pictures(player, notebook, monkeypatch):
    asked: list[Callable[[], None]] = []
    monkeypatch.setattr(player_module, "when_idle", lambda _, then: asked.append(then))
    player._ipython_display_()
    asked[0]()
    until(lambda: len(notebook[0].pictures()) > 1, "pictures come")
    assert list(notebook[0].bundles[-1]) == ["application/vnd.jupyter.widget-view+json", "text/html", "text/plain"]
    front = FrontEnd(player, monkeypatch)
    front.ask("ready", autoplay=True)  # it was only slow
    until(lambda: len(front.frames) > 4, "frames come")
    shown = len(notebook[0].pictures())
    asked[0]()
    time.sleep(0.1)
    assert len(notebook[0].pictures()) <= shown + 1


def test_what_waits_for_an_idle_kernel_waits_for_a_busy_one(monkeypatch):
    monkeypatch.setattr("framecast.serve.notebook.kernel._TICK", 0.05)
    calls: list[float] = []

    async def cell(busy: float) -> float:
        when_idle(0.2, lambda: calls.append(time.monotonic()))
        await asyncio.sleep(0.12)
        time.sleep(busy)
        idle_from = time.monotonic()
        while not calls:
            await asyncio.sleep(0.01)
        return calls.pop() - idle_from

    assert asyncio.run(asyncio.wait_for(cell(busy=0.3), timeout=30)) > 0.14, "0.12 seconds of before are counted"
    when_idle(0.0, lambda: calls.append(0.0))  # no loop, no call
    assert calls == []


def test_a_notebook_shows_the_widget():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(
            f"import sys\nsys.path.insert(0, {str(REPO / 'tests')!r})\nimport tiny_bundle\n"
            "from framecast.serve import Player\nplayer = Player(tiny_bundle.generator(), 'a red ring')\nplayer"
        ),
        nbformat.v4.new_code_cell("player.set_prompt('a ring falls')"),
        nbformat.v4.new_code_cell(
            "import time\nplayer.play()\nwhile player.num_made < 13: time.sleep(0.01)\nplayer.clip.frames.shape"
        ),
    ]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(REPO)}}).execute()
    (shown,), (index,), (shape,) = [cell.outputs for cell in notebook.cells]
    assert shown["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "a red ring" in shown["data"]["text/plain"]
    assert (index["data"]["text/plain"], shape["data"]["text/plain"]) == ("0", "torch.Size([13, 16, 24, 3])")


def test_the_room_says_what_there_is():
    assert dir(framecast.serve) == sorted(framecast.serve.__all__) and "Player" in dir(framecast.serve)
    assert issubclass(NoScreen, Screen)
    with pytest.raises(
        AttributeError, match=r"module 'framecast.serve' has no attribute 'Theatre'; the public names are .*Player"
    ):
        _ = framecast.serve.Theatre


def test_a_restart_takes_another_seed_and_other_settings(player):
    assert (player.seed, player.params) == (0, PARAMS)
    other = SamplingParams(temperature=0.5, decoding="row")
    player.restart(5, other)
    assert (player.seed, player.params) == (5, other)
    player.play()
    until(lambda: player.num_made >= 9, "frames are made")
    player.pause()
    made = rests(player._playback)
    stream = tiny_bundle.generator().stream(PROMPT, 5, other)
    assert torch.equal(player.clip.frames, torch.stack([frame.image for frame in islice(stream, made)]))
    player.restart()
    assert (player.seed, player.params) == (5, other), "they stay"
    for seed, params in ((-1, None), (1, SamplingParams(decoding=5))):
        with pytest.raises(ValueError, match="wanted"):
            player.restart(seed, params)
    assert (player.seed, player.params) == (5, other), "what is refused changes nothing"


def test_a_branch_begins_anew_at_its_moment_with_another_seed(player):
    player.play()
    until(lambda: player.num_made >= 13, "frames are made")
    player.pause()
    rests(player._playback)
    branch = player.branch(4)
    moment = branch.num_made
    branch.restart(9)
    assert (branch.seed, branch.num_made) == (9, moment)
    branch.close()


def test_tokens_are_saved_too(player, tmp_path):
    player.play()
    until(lambda: player.num_made >= 9, "frames are made")
    player.pause()
    rests(player._playback)
    player.save(tmp_path / "video.fct")
    video = read_tokens(tmp_path / "video.fct")
    assert torch.equal(video.tokens, player.clip.tokens) and (video.header.seed, video.header.params) == (0, PARAMS)


def test_a_widget_begins_anew_with_what_is_typed(player, monkeypatch):
    player._ipython_display_()
    front = FrontEnd(player, monkeypatch)
    front.ask("ready", autoplay=False)
    assert front.widget.seed == "0" and front.widget.settings["decoding"] == "frame"
    front.ask("restart", seed="9223372036854775807", settings={"temperature": 0.5, "decoding": "row", "another": 1})
    assert player.seed == 2**63 - 1 and player.params == SamplingParams(temperature=0.5, decoding="row")
    assert front.widget.seed == "9223372036854775807" and player.playing
    for seed, words in (("x", "got the seed 'x'; wanted a whole number from 0 on"), (str(2**63), "wanted")):
        front.ask("restart", seed=seed, settings={})
        assert words in front.widget.error
    front.ask("restart", seed="1", settings={"temperature": -1})
    assert "got temperature -1" in front.widget.error and player.seed == 2**63 - 1


def test_a_widget_saves_and_downloads(player, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    player._ipython_display_()
    front = FrontEnd(player, monkeypatch)
    front.ask("ready", autoplay=False)
    front.ask("save", path="video.webp")
    assert "got a player without a frame" in front.widget.error
    front.ask("play")
    until(lambda: player.num_made >= 9, "frames are made")
    front.ask("pause")
    rests(player._playback)
    front.ask("save", path="video.webp")
    assert front.widget.notice == f"Saved as {tmp_path / 'video.webp'}." and (tmp_path / "video.webp").exists()
    front.ask("save", path="video.webp")
    assert "video.webp, which is there already; wanted a new name" in front.widget.error
    files = []
    monkeypatch.setattr(front.widget, "send", lambda message, buffers: files.append((message, buffers)))
    front.ask("download", path="/etc/ring.webp")
    assert files == [({"kind": "file", "name": "ring.webp"}, [(tmp_path / "video.webp").read_bytes()])]
    front.ask("download", path="ring.exe")
    assert "ring.exe" in front.widget.error and len(files) == 1


class Looked(Screen):
    """Somebody who looks, and sees each latent frame at once."""

    def __init__(self, playback: Playback):
        self._playback, self.clocks = playback, []

    def show(self, frames, take) -> None:
        self.clocks.append(self._playback.clock)
        self._playback.shown(frames[-1].index, take)

    def tell(self, status) -> None:
        pass

    def close(self) -> None:
        pass


def test_world_waits_for_whoever_looks_and_no_frame_is_ahead():
    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT))
    playback.play()
    made = rests(playback)
    playback.close()
    assert made <= 1 + tiny_world.STRIDE


def test_newest_action_is_in_the_frames_that_are_made_next():
    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT, 3), num_frames=21)
    looked = Looked(playback)
    playback.attach(looked)
    for number, names in enumerate(("right", "", "left")):
        playback.hold(tiny_world.SPACE.action(names), float(number))
    playback.play()
    until(lambda: playback.num_made >= 21, "all is made")
    playback.close()
    assert looked.clocks == [None, *[2.0] * 10]  # nothing is done before the first frame
    actions = tiny_world.generator().codec.stride.ungroup(playback.stream.actions)
    assert actions[1:].tolist() == [[1, 0, 0]] * 20


def test_player_acts_and_saves_what_was_done(tmp_path):
    player = Player(tiny_world.generator(), tiny_world.PROMPT, 3, num_frames=9)
    assert player.action_space == tiny_world.SPACE
    assert player.act("left") == 1  # nothing is done before the first frame
    with pytest.raises(ValueError, match="got jump, which this world has not"):
        player.act("jump")
    player._playback.play()
    until(lambda: player.num_made >= 3, "some are made")
    player.save(tmp_path / "a.fct")
    player.close()
    video = read_tokens(tmp_path / "a.fct")
    assert video.header.action_space == tiny_world.SPACE and video.actions[1].tolist() == [[1, 0, 0]] * 2
    assert tiny_world.generator().replay(tmp_path / "a.fct").same


def described(stream) -> str:
    return tiny_world.SPACE.describe(stream.action.numpy())


def test_what_a_hand_holds_is_let_go_in_a_branch_and_what_a_program_does_goes_on():
    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT, 3), num_frames=5)
    playback.act("right")
    assert described(playback.moment()) == "right"
    playback.attach(Looked(playback))
    playback.hold(tiny_world.SPACE.action("left"), 1.0)
    assert described(playback.moment()) == "nothing", "also if no latent frame has followed"
    playback.play()
    until(lambda: playback.num_made >= 5, "all is made")
    assert described(playback.stream) == "left" and described(playback.moment()) == "nothing"
    playback.act("right")
    assert described(playback.moment()) == "right"
    playback.hold(tiny_world.SPACE.action("left"), 2.0)
    playback.restart()
    assert described(playback.moment()) == "unknown"
    playback.close()


def test_act_that_cannot_be_leaves_what_is_held():
    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT, 3))
    playback.hold(tiny_world.SPACE.action("left"), 1.0)
    with pytest.raises(ValueError, match="got jump, which this world has not"):
        playback.act("jump")
    assert playback._held is not None
    playback.close()


def test_widget_of_a_world_that_a_program_plays_leaves_it_so():
    pytest.importorskip("anywidget")
    from framecast.serve.notebook.widget import WidgetScreen

    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT))
    screen = WidgetScreen(playback, lambda: None)
    playback.act("right")
    screen._hear(screen.widget, {"kind": "ready", "autoplay": False}, [])
    assert playback._held is None and described(playback.stream) == "right"
    screen._hear(screen.widget, {"kind": "restart"}, [])
    playback.pause()
    until(lambda: playback.num_made >= 1 or playback._held is not None, "it has begun")
    assert playback._held is not None or described(playback.stream) == "nothing"
    screen.close()
    playback.close()


def test_widget_of_a_world_holds_what_a_view_holds():
    pytest.importorskip("anywidget")
    from framecast.serve.notebook.widget import WidgetScreen

    playback = Playback(lambda: tiny_world.generator().stream(tiny_world.PROMPT))
    screen = WidgetScreen(playback, lambda: None)
    assert screen.widget.action_space == tiny_world.SPACE.to_json()
    held = []
    playback.hold = lambda action, clock=None: held.append((tiny_world.SPACE.describe(action), clock))
    screen._hear(screen.widget, {"kind": "ready", "autoplay": False}, [])
    screen._hear(screen.widget, {"kind": "control", "buttons": ["left"], "axes": {"gas": 1}, "clock": 7}, [])
    screen._hear(screen.widget, {"kind": "control", "buttons": ["up"], "axes": {}, "clock": 8}, [])
    assert held == [("nothing", None), ("left + gas 1", 7.0)]
    assert "got up, which this world has not" in screen.widget.error
    screen.close()
    playback.close()
