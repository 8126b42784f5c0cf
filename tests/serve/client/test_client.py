"""Streams over the network are the streams of the library, frame for frame."""

import asyncio
from dataclasses import replace

import pytest
import serving
import tiny_bundle
import tiny_world
import torch
from serving import OTHER, PROMPT, library, same, some

from framecast.data.actions import ActionError
from framecast.sample import SamplingParams, VideoGenerator
from framecast.serve import Client, ServeError

TOKEN = SamplingParams(decoding="token", guidance_scale=1, top_k=9)


@pytest.mark.parametrize("format", ["png", "webp"])
@pytest.mark.parametrize("params", [None, TOKEN], ids=["default", "token"])
def test_frames_are_those_of_the_library(format, params):
    async def run():
        async with serving.running() as server:
            async with await server.client().stream(PROMPT, 3, params, format=format) as stream:
                assert (stream.seed, stream.params) == (3, params or SamplingParams())
                return await some(stream, 30)

    assert same(asyncio.run(run()), library(30, params=params))


def test_what_is_not_said_is_as_the_model_recommends():
    own = SamplingParams(temperature=0.5, guidance_scale=1.0)
    parts = tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer()
    generator = VideoGenerator(*parts, tiny_bundle.HEIGHT, tiny_bundle.WIDTH, tiny_bundle.FPS, params=own)

    async def run():
        async with serving.running(generator) as server:
            for params, wanted in ((None, own), ({"top_k": 9}, replace(own, top_k=9)), (TOKEN, TOKEN)):
                async with await server.client().stream(PROMPT, 3, params) as stream:
                    assert stream.params == wanted

    asyncio.run(run())


def test_prompt_holds_from_the_frame_that_is_said():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            frames = await some(stream, 7)
            start = await stream.set_prompt(OTHER)
            return start, frames + await some(stream, 40)

    start, frames = asyncio.run(run())
    assert start % 4 == 1 and 7 <= start < 40
    assert same(frames, library(47, changes={start: OTHER}))


def test_timeline_and_first_frames():
    timeline, first = [(0.0, PROMPT), (1.0, OTHER)], tiny_bundle.frames(5)

    async def run():
        async with serving.running() as server, await server.client().stream(timeline, 3, first_frames=first) as stream:
            assert stream.next_index == 5
            return await some(stream, 20)

    assert same(asyncio.run(run()), library(20, timeline, first_frames=first))


def test_snapshot_goes_on_here_and_there():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            await some(stream, 10)
            snapshot = await stream.snapshot()
            async with await server.client().restore(snapshot) as restored:
                return snapshot, await some(restored, 12)

    snapshot, frames = asyncio.run(run())
    here = tiny_bundle.generator().restore(snapshot)
    assert frames[0].index >= 10
    assert same(frames, [next(here) for _ in frames])
    assert same(frames, library(frames[-1].index + 1)[frames[0].index :])


def test_branches_are_other_futures_of_one_past():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            await some(stream, 10)
            own, other = await stream.branch([3, 4])
            try:
                return await some(stream, 20), await some(own, 20), await some(other, 20)
            finally:
                await own.close()
                await other.close()

    stream, own, other = asyncio.run(run())
    start = own[0].index
    assert same(own, library(start + 20)[start:], levels=1)
    assert other[0].index == start and not torch.equal(own[-1].image, other[-1].image)
    assert same(stream, library(30)[10:], levels=1)


def test_pause_stops_and_resume_goes_on():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            frames = await some(stream, 3)
            next_index = await stream.pause()
            frames += await some(stream, next_index - 3)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stream._frames.get(), 0.3)
            await stream.resume()
            return frames + await some(stream, 10)

    frames = asyncio.run(run())
    assert same(frames, library(len(frames)))


def test_stream_ends_where_it_was_to():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3, max_frames=7) as stream:
            frames = [frame async for frame in stream]
            await server.until_free()
            return frames

    assert same(asyncio.run(run()), library(7))


def test_refused_prompt_leaves_the_stream_as_it_was():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            frames = await some(stream, 5)
            with pytest.raises(ServeError, match=r"got .*prompt") as caught:
                await stream.set_prompt(" ".join(["circle"] * 80))
            assert caught.value.code == "bad_prompt"
            return frames + await some(stream, 10)

    assert same(asyncio.run(run()), library(15))


def test_mixed_company_changes_nothing():
    async def run():
        async with serving.running(slots=3) as server:
            client = server.client()
            streams = [
                await client.stream(PROMPT, seed, params) for seed, params in ((3, None), (4, TOKEN), (3, TOKEN), (5, None))
            ]
            frames = await asyncio.gather(*(some(stream, 40) for stream in streams))
            for stream in streams:
                await stream.close()
            return frames

    first, _, third, _ = asyncio.run(run())
    assert same(first, library(40), levels=1) and same(third, library(40, params=TOKEN), levels=1)
    assert not same(first, third, levels=1)


def test_client_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"got the address 'nowhere'; wanted one such as http://"):
        Client("nowhere")
    with pytest.raises(ConnectionError, match="is the server running"):
        asyncio.run(Client("http://127.0.0.1:9").stream(PROMPT))

    async def run():
        async with serving.running(token="a-token-that-is-long") as server:
            with pytest.raises(ConnectionError, match="unauthorized"):
                await server.client().stream(PROMPT)
            async with await server.client(token="a-token-that-is-long").stream(PROMPT) as stream:
                assert len(await some(stream, 2)) == 2
            with pytest.raises(ValueError, match="got the format 'gif'; wanted png, webp or jpeg"):
                await server.client().stream(PROMPT, format="gif")

    asyncio.run(run())


def playing(work, **options):
    """What `work(stream)` returns, with a stream of the tiny world."""

    async def run():
        async with serving.running(tiny_world.generator()) as server:
            async with await server.client().stream(PROMPT, 3, **{"pace": "play", **options}) as stream:
                return await asyncio.wait_for(work(stream), 60)

    return asyncio.run(run())


def test_act_holds_from_the_frame_that_is_said():
    async def work(stream):
        frames = await some(stream, 4)
        begin = await stream.act("left")
        frames += await some(stream, begin + 3 - len(frames))
        again = await stream.act({"gas": 0.5})
        return begin, again, frames + await some(stream, again + 3 - len(frames)), stream.action_space

    begin, again, frames, space = playing(work)
    assert space == tiny_world.SPACE and 4 <= begin < again
    stream = tiny_world.generator().stream(PROMPT, 3)
    stream.act("")
    for frame in frames:
        if frame.index in (begin, again):
            stream.act("left" if frame.index == begin else {"gas": 0.5})
        same_frame = next(stream)
        assert torch.equal(frame.image, same_frame.image), frame.index
        wanted = None if frame.index < begin else same_frame.action  # what held before the first act no server says
        assert wanted is None if frame.action is None else torch.equal(frame.action, wanted)


def test_receipt_comes_also_if_no_frame_is_read():
    async def work(stream):
        return [await stream.act("left" if number % 2 else "") for number in range(6)], stream.next_index

    frames, index = playing(work, pace="fast")
    assert frames == sorted(frames) and index == 0


def test_acts_at_once_are_answered_all_and_the_newest_holds():
    async def work(stream):
        await some(stream, 3)
        frames = await asyncio.gather(*(stream.act("left" if number % 2 else "right") for number in range(12)))
        later = [await anext(stream) for _ in range(frames[-1] + 4 - 3)]
        return frames, later[-1].action

    frames, action = playing(work)
    assert frames == sorted(frames) and len(set(frames)) <= 4
    assert action.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("jump", "got jump, which this world has not; wanted some of left, right, gas"),
        ("left+right", "left and right at once"),
        ([1.0, 0.0], r"got an action of shape \[2\]; wanted 3 numbers"),
        ({"gas": float("nan")}, "gas"),
    ],
)
def test_act_that_cannot_be_is_refused_here(action, message):
    async def work(stream):
        with pytest.raises(ActionError, match=message):
            await stream.act(action)
        return await some(stream, 2)

    assert len(playing(work)) == 2


def test_model_without_actions_refuses_acts():
    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:
            assert stream.action_space is None
            with pytest.raises(ActionError, match="got 'left' to do in a model without actions; wanted a prompt"):
                await stream.act("left")

    asyncio.run(run())


def test_act_of_a_stream_that_is_closed():
    async def work(stream):
        await stream.close()
        with pytest.raises(ConnectionError, match="the stream has ended"):
            await stream.act("left")

    playing(work)
    with pytest.raises(ValueError, match="got the pace 'slow'; wanted video, fast or play"):
        playing(work, pace="slow")
