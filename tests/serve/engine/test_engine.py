"""Whose turn it is, and what becomes of the others when something goes wrong."""

import asyncio
from types import SimpleNamespace

import pytest
import tiny_bundle
from serving import PROMPT

from framecast.sample import SamplingParams
from framecast.serve.engine.channel import Channel, Span
from framecast.serve.engine.engine import Engine
from framecast.serve.protocol.errors import ServeError


def channel(engine: Engine, seed: int = 0, stop: int = 10**6, params: SamplingParams | None = None) -> Channel:
    return Channel(tiny_bundle.generator().stream(PROMPT, seed, params), Span(0, stop), engine.wake)


async def drained(channel: Channel, frames: int) -> list[int]:
    """Indices of the next frames."""
    found = []
    while len(found) < frames and await asyncio.wait_for(channel.peek(), 20) is not None:
        found.append(channel.take().index)
    return found


def with_engine(work, slots: int = 2):
    """What `work(engine)` returns, with an engine that runs meanwhile."""

    async def run():
        engine = Engine(tiny_bundle.generator(), slots)
        engine.start()
        try:
            return await asyncio.wait_for(work(engine), 60)
        finally:
            await asyncio.to_thread(engine.stop)
            assert not engine.is_alive

    return asyncio.run(run())


def test_frames_wait_in_a_small_number_and_come_in_order():
    async def work(engine):
        one = channel(engine)
        await engine.open(one)
        await asyncio.sleep(0.5)
        waiting = one.waiting
        return waiting, await drained(one, 30)

    waiting, indices = with_engine(work)
    assert 2 < waiting <= 10  # two and a half latent frames
    assert indices == list(range(30))


def test_who_has_had_less_comes_first():
    async def work(engine):
        channels = [channel(engine, seed) for seed in range(5)]
        for one in channels:
            await engine.open(one)
        tasks = [asyncio.create_task(drained(one, 10**6)) for one in channels]
        await asyncio.sleep(3)
        turns = [one.turns for one in channels]
        for task in tasks:
            task.cancel()
        return turns

    turns = with_engine(work)
    assert min(turns) > 3
    assert max(turns) - min(turns) <= 8  # twice the quantum


def test_who_has_nothing_left_comes_before_who_has_had_less():
    def one(waiting: int, turns: int) -> SimpleNamespace:
        return SimpleNamespace(lead=waiting // 4, turns=turns, has_room=True, is_urgent=waiting < 3)

    engine = Engine(tiny_bundle.generator(), slots=2)
    rich, poor, busy = one(8, 0), one(0, 50), one(0, 90)
    engine._channels = [rich, poor, busy]
    assert engine._choose() == (poor, busy)
    engine._channels = [rich]
    assert engine._choose() == ()


def test_paused_or_full_channels_get_no_turn():
    async def work(engine):
        paused, other = channel(engine), channel(engine, 1)
        paused.paused = True
        for one in (paused, other):
            await engine.open(one)
        await drained(other, 20)
        return paused.waiting, paused.turns

    assert with_engine(work) == (0, 0)


def test_channel_ends_with_its_last_frame():
    async def work(engine):
        one = channel(engine, stop=6)
        await engine.open(one)
        indices = await drained(one, 100)
        return indices, engine._channels

    assert with_engine(work) == ([0, 1, 2, 3, 4, 5], [])


def test_failed_step_ends_its_streams_and_no_others(monkeypatch):
    async def work(engine):
        bad = channel(engine)
        monkeypatch.setattr(engine.generator.stepper, "follow_timeline", lambda state: 1 / 0)
        await engine.open(bad)
        with pytest.raises(ServeError, match="the server failed here") as caught:
            await drained(bad, 5)
        monkeypatch.undo()
        good = channel(engine, 1)
        await engine.open(good)
        return caught.value.code, await drained(good, 9), bad in engine._channels

    assert with_engine(work) == ("internal", list(range(9)), False)


def test_work_that_fails_says_so_and_the_thread_goes_on():
    async def work(engine):
        with pytest.raises(ZeroDivisionError):
            await engine.run(lambda: 1 / 0)
        return await engine.run(lambda: 7)

    assert with_engine(work) == 7


def test_stopped_engine_ends_channels_and_refuses_work():
    async def run():
        engine = Engine(tiny_bundle.generator(), 2)
        engine.start()
        one = channel(engine)
        await engine.open(one)
        await drained(one, 2)
        await asyncio.to_thread(engine.stop)
        with pytest.raises(ServeError) as ended:
            await drained(one, 100)
        with pytest.raises(ServeError) as refused:
            await engine.run(lambda: 1)
        return ended.value.code, refused.value.code

    assert asyncio.run(run()) == ("draining", "draining")
