"""Futures of one moment, each with its seed and its prompt, now or earlier."""

import asyncio

import pytest
import serving
from serving import OTHER, PROMPT, library, same, some

from framecast.serve import ServeError


def futures(seeds, prompts=None, frame=None, played: int = 30, **config):
    """The first frames of futures of a stream that has played."""

    async def run():
        async with serving.running(**config) as server, await server.client().stream(PROMPT, 3) as stream:
            await some(stream, played)
            branches = await stream.branch(seeds, prompts, frame)
            try:
                return [await some(branch, 20) for branch in branches], await some(stream, 4)
            finally:
                for branch in branches:
                    await branch.close()

    return asyncio.run(run())


def test_each_future_has_its_prompt():
    (same_seed, other), after = futures([3, 3], [None, OTHER])
    start = other[0].index
    assert {frame.prompt for frame in same_seed} == {PROMPT} and after[0].prompt == PROMPT
    changed = next(frame.index for frame in other if frame.prompt == OTHER)
    assert changed % 4 == 1 and changed - start <= 10
    assert same(other, library(start + 20, changes={changed: OTHER})[start:], levels=1)


@pytest.mark.parametrize("frame", [1, 14, 17, 30])
def test_a_moment_that_has_passed_can_be_chosen(frame):
    (own, other), _ = futures([3, 3], [None, OTHER], frame)
    start = (frame - 1) // 4 * 4 + 1
    assert own[0].index == other[0].index == start
    assert same(own, library(start + 20)[start:], levels=1)
    assert same(other, library(start + 20, changes={start: OTHER})[start:], levels=1)


def test_a_moment_that_is_not_there_is_said():
    with pytest.raises(ServeError, match=r"got frame 5000 to branch from; wanted one from 1 to \d+; leave it out for now"):
        futures([3], None, 5000, 8)


def test_prompts_are_as_many_as_seeds():
    with pytest.raises(ServeError, match="got 1 prompts for 2 seeds; wanted one for each"):
        futures([3, 4], [OTHER], played=8)


def test_a_prompt_that_cannot_be_followed_leaves_no_branch():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            await some(stream, 8)
            with pytest.raises(ServeError, match="got an empty prompt") as refused:
                await stream.branch([1, 2], [OTHER, " "])
            return refused.value.code, server.service.taken

    assert asyncio.run(run()) == ("bad_prompt", 1)
