"""Watchers get every frame from the moment they came; none holds the stream up, and none is left waiting."""

import asyncio

import pytest
import torch

from framecast.sample import Frame
from framecast.serve import ServeError
from framecast.serve.server.audience import _AHEAD, Audience


def frame(index: int) -> Frame:
    return Frame(torch.zeros(2, 2, 3, dtype=torch.uint8), index, index, "")


def indices(watcher: asyncio.Queue[Frame | None]) -> list[int | None]:
    """What waits for a watcher, `None` for the end."""
    found = [watcher.get_nowait() for _ in range(watcher.qsize())]
    return [None if frame is None else frame.index for frame in found]


def test_frames_go_to_those_who_watch():
    audience = Audience()
    early = audience.watch()
    audience.show(frame(0))
    late = audience.watch()
    audience.show(frame(1))
    audience.unwatch(early)
    audience.show(frame(2))
    audience.end()
    assert (indices(early), indices(late)) == ([0, 1], [1, 2, None])
    assert indices(audience.watch()) == [None]  # after the end


def test_who_does_not_look_is_let_go():
    audience = Audience()
    slow, quick = audience.watch(), audience.watch()
    for index in range(_AHEAD + 5):
        audience.show(frame(index))
        assert indices(quick) == [index]
    assert indices(slow) == [*range(_AHEAD), None]


def test_a_stream_waits_for_somebody_to_watch():
    async def run():
        audience = Audience()
        with pytest.raises(ServeError, match=r"nobody watched for 0\.01 s") as caught:
            await audience.wait(0.01)
        waiting = asyncio.create_task(audience.wait(5))
        await asyncio.sleep(0)
        audience.watch()
        return caught.value.code, await waiting, await audience.wait(5)

    assert asyncio.run(run()) == ("idle", True, False)
