"""A picture of any size begins a video, and holds up nobody else."""

import asyncio
import io
import time

import numpy as np
import pytest
import serving
import torch
from PIL import Image
from serving import PROMPT, same, some

from framecast.data.pictures import decode_picture
from framecast.serve import ServeError

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8))


def encoded(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_picture_is_the_first_frame(format):
    data = encoded(NOISE, format)

    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3, first_frames=data) as stream:
            assert stream.next_index == 1
            return await some(stream, 12)

    first = torch.from_numpy(decode_picture(data, (16, 24)))[None]
    assert same(asyncio.run(run()), serving.library(12, first_frames=first))


def test_a_path_and_a_picture_of_pillow_are_taken_too(tmp_path):
    NOISE.save(tmp_path / "picture.png")

    async def run():
        async with serving.running() as server:
            firsts = []
            for given in (tmp_path / "picture.png", str(tmp_path / "picture.png"), NOISE):
                async with await server.client().stream(PROMPT, 3, first_frames=given) as stream:
                    firsts.append(await some(stream, 5))
            return firsts

    path, text, pillow = asyncio.run(run())
    assert same(path, text) and same(path, pillow)


def test_notes_come_only_if_they_are_wanted():
    data = encoded(NOISE, "PNG")

    async def run():
        async with serving.running() as server:
            async with await server.client().stream("a purple ring falls", 3, first_frames=data) as stream:
                began = stream.notes
                await stream.set_prompt("a ring falls")
                after = stream.notes
            async with server.socket() as socket:
                old = await socket.start(prompt="a purple ring falls", max_frames=5)
                prompted = await socket.ask(type="prompt", prompt="a purple ring falls")
            async with server.socket() as socket:
                plain = await socket.start(notes=True, max_frames=5)
            return began, after, old, prompted, plain

    began, after, old, prompted, plain = asyncio.run(run())
    assert "“purple”" in began[0] and "only roughly" in began[1] and after == ()
    assert "notes" not in old and "notes" not in prompted, "clients of earlier versions do not know them"
    assert plain["notes"] == []


def test_what_is_refused_is_named_and_another_can_follow():
    async def run():
        async with serving.running(max_picture=20_000) as server, server.socket() as socket:
            await socket.send(type="start", prompt=PROMPT, picture_size=6)
            await socket.connection.send(b"GIF89a")
            refused = await socket.reply()
            data = encoded(NOISE, "PNG")
            await socket.send(type="start", prompt=PROMPT, picture_size=len(data), pace="fast")
            await socket.connection.send(data)
            started = await socket.reply()
            with pytest.raises(ServeError) as too_large:
                await server.client().stream(PROMPT, first_frames=bytes(20_001))
            return refused, started, too_large.value

    refused, started, too_large = asyncio.run(run())
    assert (refused["code"], refused["fatal"]) == ("bad_frames", False)
    assert refused["message"].startswith("got a picture that is no PNG, JPEG, WebP or GIF file; wanted a whole one")
    assert (started["type"], started["frame"]) == ("started", 1)
    assert (too_large.code, too_large.message) == (
        "too_large",
        "got a picture of 20001 bytes; this server takes 20000; make the picture smaller",
    )


def test_a_picture_of_the_largest_size_stalls_nobody():
    """Others get their frames while pictures of 40 million pixels are read."""
    large = encoded(Image.new("RGB", (8000, 5000), "red"), "PNG")

    async def run():
        async with serving.running() as server, await server.client().stream(PROMPT, 3) as stream:

            async def ask() -> None:
                async with await server.client().stream(PROMPT, first_frames=large):
                    pass

            asking = [asyncio.create_task(ask()) for _ in range(3)]
            longest = 0.0
            while not all(task.done() for task in asking):
                began = time.monotonic()
                await some(stream, 1)
                longest = max(longest, time.monotonic() - began)
            await asyncio.gather(*asking)
            return longest

    assert asyncio.run(run()) < 1.0
