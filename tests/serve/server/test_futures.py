"""Futures of one moment, each with its seed and its prompt, now or earlier."""

import asyncio

import pytest
import serving
import tiny_world
from serving import OTHER, PROMPT, library, same, some

from framecast.data import ActionError
from framecast.sample import read_tokens
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


def what_if(actions, frame=None, prompts=None):
    """What a branch of a stream of the tiny world does, from the first frame that it makes itself; and what the stream does."""

    async def done(server, stream):
        path = f"/v1/streams/{stream.session}/video.fct"
        async with server.http() as http:
            return (await http.get(path)).content

    async def run():
        async with serving.running(tiny_world.generator()) as server:
            async with await server.client().stream(PROMPT, 3, max_frames=41) as stream:
                await some(stream, 6)
                await stream.act("right")
                await some(stream, 6)
                (branch,) = await stream.branch([3], prompts, frame, actions)
                first = branch.next_index
                try:
                    await some(branch, 20)
                    return first, await done(server, branch), await done(server, stream)
                finally:
                    await branch.close()

    return asyncio.run(run())


def played(data, folder):
    """Checks that tokens are made again from what was done, and gives that frame by frame."""
    (folder / "a.fct").write_bytes(data)
    assert tiny_world.generator().replay(folder / "a.fct").same
    rows = tiny_world.generator().codec.stride.ungroup(read_tokens(folder / "a.fct").actions)
    return [tiny_world.SPACE.describe(row) for row in rows.numpy()]


@pytest.mark.parametrize(
    ("actions", "first"),
    [
        ("left*3 gas=0.5", ["left"] * 3 + ["gas 0.5"]),
        ({"left": True}, ["left"]),
        ([[1.0, 0.0, -1.0]] * 2 + [None], ["left + gas -1"] * 2 + ["unknown"]),
    ],
)
def test_a_branch_does_other_things_first_and_the_last_one_holds(actions, first, tmp_path):
    begins, branch, stream = what_if(actions)
    done, own = played(branch, tmp_path), played(stream, tmp_path)
    changed = next(index for index, name in enumerate(done) if name in first and index >= 1 and name != "unknown")
    assert begins <= changed <= begins + 6 and changed % 2 == 1, "as soon as it can, with a latent frame"
    rest = done[changed:]
    assert rest == first + first[-1:] * (len(rest) - len(first))
    assert set(own[changed:]) <= {"right"} and done[:changed] == own[:changed]


def test_a_branch_of_a_moment_that_has_passed_does_other_things_there(tmp_path):
    begins, branch, _ = what_if("left*2 nothing", frame=5)
    done = played(branch, tmp_path)
    assert begins == 5 and done[5:] == ["left"] * 2 + ["nothing"] * (len(done) - 7)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("jump*3", "got jump"),
        ([], "got actions as list|got actions of shape"),
        (iter(["left"]), "got list_iterator as actions of a branch; wanted a list, an array or a text"),
        (lambda stream: "left", "got function as actions of a branch"),
        ("left*2000", "got actions for 2000 frames; wanted at most 1024; the last one holds by itself"),
    ],
)
def test_actions_of_a_branch_that_cannot_be(actions, message):
    with pytest.raises(ActionError, match=message):
        what_if(actions)


def test_a_model_without_actions_has_no_branch_with_some():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            with pytest.raises(ActionError, match="got 'left' to do in a model without actions; wanted a prompt"):
                await stream.branch([3], actions="left")

    asyncio.run(run())
