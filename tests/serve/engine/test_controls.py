"""What a person does reaches the stream: the newest, once, and with a receipt."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_world

from framecast.serve.engine.channel import Channel, Span
from framecast.serve.engine.controls import Act, Controls, Receipt, Refusal
from framecast.stride import Stride

BEGIN = None  # of a latent frame


class FakeStream:
    """Takes actions of one number, and remembers them; a latent frame has two frames after the first."""

    def __init__(self) -> None:
        self.num_latent_frames, self.acts = 0, []
        self.codec = SimpleNamespace(stride=Stride(2))

    def act(self, action) -> int:
        if action[0] > 1:
            raise ValueError("got 2; wanted 0 or 1")
        self.acts.append(float(action[0]))
        return self.codec.stride.num_frames(max(1, self.num_latent_frames))  # nothing is done before the first frame


def act(id: int, value: float = 1.0) -> Act:
    return Act(id, 100.0 + id, np.array([value], np.float32))


def with_controls(work):
    async def run():
        return await asyncio.wait_for(work(Controls(), FakeStream()), 10)

    return asyncio.run(run())


def test_newest_counts_and_nothing_waits_in_line():
    async def work(controls, stream):
        for number in range(1000):
            controls.put(act(number, number % 2))
        controls.read(stream)
        controls.read(stream)
        return stream.acts, await controls.news(), controls._told

    acts, news, left = with_controls(work)
    assert acts == [1.0] and news == Receipt(999, 1099.0, 1, 1) and not left


def test_receipt_comes_in_the_order_of_reading_also_to_who_waits():
    async def work(controls, stream):
        waiting = asyncio.create_task(controls.news())
        await asyncio.sleep(0)
        for number in range(3):
            controls.put(act(number))
            await asyncio.to_thread(controls.read, stream)
            stream.num_latent_frames += 1
        return [await waiting, await controls.news(), await controls.news()]

    assert [(news.id, news.latent_frame, news.frame) for news in with_controls(work)] == [(0, 1, 1), (1, 1, 1), (2, 2, 3)]


def test_frames_know_the_act_that_holds_for_them():
    async def work(controls, stream):
        stream.num_latent_frames = 1
        for latent, ids in ((1, (1, 2)), (3, (3,)), (4, (4,))):
            stream.num_latent_frames = latent
            for number in ids:  # the second is read before a latent frame has followed the first
                controls.put(act(number))
                controls.read(stream)
        held = [controls.held_at(frame) for frame in range(9)]
        return [None if each is None else each.id for each in held]

    assert with_controls(work) == [None, 2, 2, 2, 2, 3, 3, 4, 4]


def test_touched_is_who_holds_something_else():
    async def work(controls, stream):
        seen = []
        for value in (1.0, 1.0, 0.0):
            waiting = asyncio.create_task(controls.touched())
            controls.put(act(0, value))
            controls.read(stream)  # an engine that has time reads at once
            await asyncio.sleep(0.01)
            seen.append(waiting.done())
            waiting.cancel()
            controls.begin(stream)
        return seen

    assert with_controls(work) == [True, False, True]


@pytest.mark.parametrize(
    "done, expected",
    [
        ([0, BEGIN, BEGIN, 1], True),  # pressed while a latent frame is made
        ([0, BEGIN, BEGIN, 0], False),
        ([0, BEGIN, BEGIN, 1, BEGIN, 0], False),  # let go at once: the press is to be seen
        ([0, BEGIN, BEGIN, 1, BEGIN, BEGIN, 0], True),
    ],
)
def test_latent_frame_is_overtaken_by_what_is_done_meanwhile(done, expected):
    async def work(controls, stream):
        for value in done:
            before = controls.are_overtaken
            if value is BEGIN:
                controls.begin(stream)
            else:
                controls.put(act(0, value))
        return before, controls.are_overtaken

    assert with_controls(work) == (False, expected)


def shown(done, begun=None):
    """What is done in each latent frame that is begun, and the numbers of the acts that get receipts."""

    async def work():
        controls, stream, frames = Controls(begun), FakeStream(), []
        for number, value in enumerate(done):
            if value is BEGIN:
                controls.begin(stream)
                controls.made()
                stream.num_latent_frames += 1
                frames.append(stream.acts[-1] if stream.acts else None)
            else:
                controls.put(act(number, value))
        return frames, [news.id for news in controls._told], await asyncio.wait_for(controls.news(), 1)

    return asyncio.run(work())[:2]


@pytest.mark.parametrize(
    "done, frames, receipts",
    [
        ([0, BEGIN, 1, 0, BEGIN, BEGIN], [0, 1, 0], [0, 2, 3]),  # let go before a latent frame has shown it
        ([0, BEGIN, 1, 0.5, BEGIN], [0, 0.5], [0, 3]),  # something else is pressed: the newest counts
        ([0, BEGIN, 1, 0, 0.5, BEGIN], [0, 0.5], [0, 4]),
        ([0, BEGIN, 1, BEGIN, 0, BEGIN], [0, 1, 0], [0, 2, 4]),
        ([0, BEGIN, 1, 0, 1, 0, BEGIN, BEGIN, BEGIN], [0, 1, 0, 0], [0, 4, 5]),
        ([0, BEGIN, 0, BEGIN], [0, 0], [0, 2]),
    ],
)
def test_press_that_is_let_go_at_once_is_shown_for_one_latent_frame(done, frames, receipts):
    assert shown(done) == (frames, receipts)


def test_latent_frame_that_is_begun_again_gives_a_receipt_for_what_was_done_in_it():
    async def work(controls, stream):
        controls.put(act(0, 0.0))
        controls.begin(stream)
        controls.made()
        controls.put(act(1, 0.0))
        controls.begin(stream)
        controls.put(act(2, 1.0))
        overtaken, told = controls.are_overtaken, len(controls._told)
        controls.begin(stream)
        controls.made()
        return overtaken, told, [news.id for news in controls._told], controls.held_at(1).id

    assert with_controls(work) == (True, 1, [0, 2], 2)


def test_who_goes_on_with_what_was_held_begins_nothing_new():
    async def work():
        controls, stream = Controls(np.array([1.0], np.float32)), FakeStream()
        waiting = asyncio.create_task(controls.touched())
        controls.put(act(0, 1.0))
        await asyncio.sleep(0.01)
        controls.begin(stream)
        controls.put(act(1, 0.0))
        return waiting.done(), controls.are_overtaken, waiting.cancel()

    assert asyncio.run(work())[:2] == (False, True)


def test_act_that_the_stream_refuses_harms_nobody():
    async def work(controls, stream):
        controls.put(act(7, 2.0))
        controls.read(stream)
        return await controls.news(), controls.held_at(100)

    news, held = with_controls(work)
    assert isinstance(news, Refusal) and (news.id, news.error.code, held) == (7, "bad_action", None)
    assert news.error.message == "got 2; wanted 0 or 1"


def test_news_of_a_client_that_does_not_read_are_few():
    async def work(controls, stream):
        for number in range(2000):
            controls.put(act(number))
            controls.read(stream)
        return len(controls._told), len(controls._held)

    assert with_controls(work) == (256, 1)


@pytest.mark.parametrize(("start", "by_hand"), [(0, False), (0, True), (99, False)])
def test_branch_holds_what_was_put_and_not_read(start, by_hand):
    """An engine that is busy does what it was asked for before it reads what is held."""

    async def work():
        channel = Channel(tiny_world.generator().stream(tiny_world.PROMPT), Span(start, 100), lambda: None)
        channel.by_hand = by_hand
        channel.controls.put(Act(3, 0.0, tiny_world.SPACE.action("left")))
        (branch,) = channel.branch([5])
        return branch.action.tolist(), len(channel.controls._told)

    action, receipts = asyncio.run(work())
    if start:  # frames before the first one that is wanted are made anew under what was done then
        assert np.isnan(action).all() and receipts == 0
    else:
        assert action == [1, 0, 0] and receipts == (0 if by_hand else 1)  # who plays gets it with the next latent frame


def test_channel_that_makes_frames_again_does_not_forget_what_was_asked():
    async def work():
        stream = SimpleNamespace(
            codec=SimpleNamespace(stride=SimpleNamespace(frames=2)), next_index=0, action=None, take=lambda: []
        )
        channel = Channel(stream, Span(3, 100), lambda: None)
        channel.by_hand = True
        channel.ask()  # by a reader that waits for frame 3
        channel.put([SimpleNamespace(index=1), SimpleNamespace(index=2)])
        before = channel.has_room
        channel.put([SimpleNamespace(index=3), SimpleNamespace(index=4)])
        return before, channel.has_room, channel.waiting

    assert asyncio.run(work()) == (True, False, 2)


@pytest.mark.parametrize("asked", [False, True])
def test_channel_of_a_player_has_room_once_asked(asked):
    async def work():
        stride = SimpleNamespace(frames=2)
        stream = SimpleNamespace(codec=SimpleNamespace(stride=stride), next_index=0, action=None, take=lambda: [])
        woken = []
        channel = Channel(stream, Span(0, 100), lambda: woken.append(True))
        channel.by_hand = True
        if asked:
            channel.ask()
        before = channel.has_room
        channel.put([SimpleNamespace(index=0)])
        return before, channel.has_room, len(woken)

    assert asyncio.run(work()) == (asked, False, int(asked))
