"""What clients must not do is refused by name, and the server serves on."""

import asyncio
import base64
import io
import json
import struct
import zlib
from collections.abc import Awaitable, Callable

import pytest
import serving
from PIL import Image
from serving import OTHER, PROMPT, Running, Socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

LIMITS = {
    "max_text": 20_000,
    "max_snapshot": 200_000,
    "max_picture": 50_000,
    "message_rate": 40,
    "idle_seconds": 3.0,
    "stall_seconds": 3.0,
    "slots": 2,
}
Abuse = Callable[[Running], Awaitable[str]]
ABUSES: dict[str, tuple[str, Abuse]] = {}


def abuse(code: str) -> Callable[[Abuse], Abuse]:
    """Registers an abuse, which returns what the server said, with the code that it must say."""

    def register(function: Abuse) -> Abuse:
        ABUSES[function.__name__] = (code, function)
        return function

    return register


def told(code: str, name: str, *messages: object, start: bool = False) -> None:
    """Registers an abuse by messages alone: the last answer, or the reason of the closing, must be the code."""

    async def send(server: Running) -> str:
        async with server.socket() as socket:
            if start:
                assert (await socket.start())["type"] == "started"
            for message in messages:
                data = message if isinstance(message, (str, bytes)) else json.dumps(message)
                await socket.connection.send(data)
            return await refusal(socket)

    send.__name__ = name
    abuse(code)(send)


async def refusal(socket: Socket) -> str:
    """The code of the next error, or of the closing."""
    try:
        while True:
            reply = await socket.reply()
            if reply["type"] == "error":
                return reply["code"]
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            return "lost"
        return closed.rcvd.reason if closed.rcvd.code >= 4000 else str(closed.rcvd.code)


async def raw(server: Running, request: bytes) -> str:
    """The status of a request that no library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(2000), 10)
    writer.close()
    return answer.split(b" ", 2)[1].decode() if answer else "closed"


async def posted(server: Running, **request: object) -> str:
    async with server.http() as http:
        answer = await http.post("/v1/videos/sync", **request)  # type: ignore[arg-type]
        return answer.json()["code"]


def start(**changes: object) -> dict[str, object]:
    return {"type": "start", "prompt": PROMPT} | changes


def picture(height: int, width: int) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def bomb() -> str:
    """A PNG of a few bytes that says it has four thousand million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


told("bad_json", "no_json", "{")
told("bad_json", "deep_json", "[" * 10_000)
told("bad_json", "nan", '{"type": "start", "prompt": "x", "settings": {"temperature": NaN}}')
told("bad_json", "nul", "\0")
told("bad_message", "infinity", '{"type": "start", "prompt": "x", "settings": {"temperature": 1e999}}')
told("bad_message", "a_list", "[1]")
told("bad_message", "unknown_type", {"type": "exec"})
told("bad_message", "unknown_field", start(path="/etc/passwd"))
told("bad_message", "unknown_format", start(format="exe"))
told("bad_message", "negative_seed", start(seed=-1))
told("bad_message", "huge_seed", start(seed=2**70))
told("bad_message", "binary_at_once", b"\0" * 100)
told("bad_message", "binary_while_playing", b"\0" * 100, start=True)
told("bad_message", "too_much_credit_at_once", start(credits=10**6))
told("bad_message", "too_much_credit", {"type": "credit", "frames": 10**6}, start=True)
told("bad_message", "too_many_branches", {"type": "branch", "seeds": [1, 2, 3, 4, 5]}, start=True)
told("bad_message", "restore_of_another_size", {"type": "restore", "size": 100}, b"\0" * 99)
told("bad_message", "restore_without_bytes", {"type": "restore", "size": 100}, {"type": "stop"})
told("bad_message", "no_frames_wanted", start(max_frames=0))
told("bad_snapshot", "restore_of_noise", {"type": "restore", "size": 100}, bytes(range(100)))
told("bad_settings", "temperature", start(settings={"temperature": -1}))
told("bad_settings", "decoding", start(settings={"decoding": "everything"}))
told("bad_settings", "block_length", start(settings={"decoding": 5}))
told("bad_prompt", "no_prompt", {"type": "start"})
told("bad_prompt", "empty_prompt", start(prompt=" "))
told("bad_prompt", "long_prompt", start(prompt="a" * 501))
told("bad_prompt", "prompt_of_many_words", start(prompt="z " * 200))
told("bad_prompt", "timeline_backwards", {"type": "start", "timeline": [[0, PROMPT], [2, OTHER], [1, PROMPT]]})
told("bad_prompt", "timeline_late", {"type": "start", "timeline": [[1, PROMPT]]})
told("bad_prompt", "empty_prompt_later", {"type": "prompt", "prompt": ""}, start=True)
told("bad_frames", "frames_not_base64", start(first_frames=["*"]))
told("bad_frames", "frames_no_picture", start(first_frames=[base64.b64encode(b"GIF89a").decode()]))
told("bad_frames", "frames_of_another_size", start(first_frames=[picture(8, 8)]))
told("bad_frames", "frames_bomb", start(first_frames=[bomb()]))
told("bad_frames", "frames_of_no_legal_number", start(first_frames=[picture(16, 24)] * 2))
told("bad_frames", "too_many_frames", start(first_frames=[picture(16, 24)] * 69))
told("bad_frames", "picture_no_picture", start(picture_size=6), b"GIF89a")
told("bad_frames", "picture_of_another_kind", start(picture_size=60), b"BM" + bytes(58))
told("bad_frames", "picture_cut_off", start(picture_size=40), base64.b64decode(picture(16, 24))[:40])
told("bad_frames", "picture_bomb", start(picture_size=len(base64.b64decode(bomb()))), base64.b64decode(bomb()))
told("bad_frames", "picture_beside_frames", start(picture_size=1, first_frames=[picture(16, 24)]), b"x")
told("bad_message", "picture_of_another_size", start(picture_size=100), b"x" * 99)
told("bad_message", "picture_that_does_not_come", start(picture_size=100), {"type": "stop"})
told("bad_message", "picture_of_no_bytes", start(picture_size=0))
told("too_large", "large_picture", start(picture_size=10**9))
told("bad_message", "branch_from_the_future", {"type": "branch", "seeds": [1], "frame": 10**6}, start=True)
told("bad_message", "branch_with_too_few_prompts", {"type": "branch", "seeds": [1, 2], "prompts": [OTHER]}, start=True)
told("bad_prompt", "branch_with_an_empty_prompt", {"type": "branch", "seeds": [1], "prompts": [""]}, start=True)
told("bad_prompt", "branch_with_a_long_prompt", {"type": "branch", "seeds": [1], "prompts": ["a" * 501]}, start=True)
told("bad_action", "branch_with_actions_of_a_model_without", {"type": "branch", "seeds": [1], "actions": [{}]}, start=True)
told("bad_message", "branch_with_no_action", {"type": "branch", "seeds": [1], "actions": []}, start=True)
told("bad_message", "branch_with_many_actions", {"type": "branch", "seeds": [1], "actions": [{}] * 1025}, start=True)
told("bad_message", "branch_with_one_action", {"type": "branch", "seeds": [1], "actions": {"buttons": ["left"]}}, start=True)
told("bad_message", "branch_with_a_control", {"type": "branch", "seeds": [1], "actions": [{"id": 1}]}, start=True)
told("too_large", "large_text", json.dumps(start(prompt="x" * 30_000)))
told("too_large", "large_snapshot", {"type": "restore", "size": 10**9})
told("wrong_state", "prompt_before_start", {"type": "prompt", "prompt": PROMPT})
told("wrong_state", "credit_before_start", {"type": "credit", "frames": 1})
told("wrong_state", "start_twice", start(), start=True)
told("wrong_state", "resume_while_playing", {"type": "resume"}, start=True)
told("wrong_state", "pause_twice", {"type": "pause"}, {"type": "pause"}, start=True)
told("wrong_state", "control_before_start", {"type": "control", "id": 1})
told("bad_action", "control_of_a_model_without_actions", {"type": "control", "id": 1, "buttons": ["left"]}, start=True)
told("bad_message", "control_of_no_number", {"type": "control", "buttons": ["left"]}, start=True)
told("bad_message", "control_of_many_buttons", {"type": "control", "id": 1, "buttons": ["x"] * 300}, start=True)
told("bad_json", "control_nan", '{"type": "control", "id": 1, "axes": {"gas": NaN}}', start=True)
told("not_found", "attach_of_nothing", {"type": "attach", "branch": "x" * 22})
told("not_found", "recover_of_nothing", {"type": "recover", "session": "x" * 22, "frame": 0})
told("bad_message", "recover_with_much_held", {"type": "recover", "session": "x", "frame": 9, "held": [{"frame": 1}] * 257})
told("idle", "silence")
told("too_slow", "no_credit", start(credits=1, pace="fast"))
told("too_many_messages", "flood", *[{"type": "credit", "frames": 1}] * 100, start=True)


@abuse("1009")
async def message_beyond_all_limits(server: Running) -> str:
    async with server.socket() as socket:
        await socket.connection.send("x" * 300_000)
        return await refusal(socket)


@abuse("wrong_state")
async def error_after_error(server: Running) -> str:
    """Refusals are answered, but not for ever."""
    async with server.socket() as socket:
        for _ in range(20):
            reply = await socket.ask(type="stop")
        assert reply["fatal"]
        return await refusal(socket)


@abuse("403")
async def foreign_page(server: Running) -> str:
    try:
        async with server.socket(origin="http://evil.example"):
            return "open"
    except InvalidStatus as refused:
        return str(refused.response.status_code)


@abuse("403")
async def foreign_name(server: Running) -> str:
    try:
        async with server.socket("evil.example"):
            return "open"
    except InvalidStatus as refused:
        return str(refused.response.status_code)


@abuse("403")
async def foreign_name_by_http(server: Running) -> str:
    return await raw(server, b"GET /v1/info HTTP/1.1\r\nHost: evil.example\r\n\r\n")


@abuse("400")
async def two_names(server: Running) -> str:
    return await raw(server, b"GET /v1/info HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")


@abuse("400")
async def noise(server: Running) -> str:
    return await raw(server, bytes(range(256)) + b"\r\n\r\n")


@abuse("400")
async def two_lengths(server: Running) -> str:
    return await raw(server, b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")


@abuse("413")
async def body_of_unknown_length(server: Running) -> str:
    return await raw(
        server, b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )


@abuse("404")
async def path_out_of_the_folder(server: Running) -> str:
    return await raw(server, b"GET /..%2fconfig.py HTTP/1.1\r\nHost: localhost\r\n\r\n")


@abuse("400")
async def endless_header(server: Running) -> str:
    return await raw(server, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")


@abuse("too_large")
async def large_body(server: Running) -> str:
    return await posted(server, content=b"x" * 30_000)


@abuse("bad_message")
async def body_without_sense(server: Running) -> str:
    return await posted(server, content=b"{", headers={"content-type": "application/json"})


@abuse("bad_message")
async def video_of_no_legal_length(server: Running) -> str:
    return await posted(server, json={"prompt": PROMPT, "num_frames": 34})


@abuse("bad_message")
async def video_without_end(server: Running) -> str:
    return await posted(server, json={"prompt": PROMPT, "num_frames": 1 + 4 * 10**7})


@abuse("bad_message")
async def video_with_nan(server: Running) -> str:
    body = b'{"prompt": "a ring", "settings": {"temperature": NaN}}'
    return await posted(server, content=body, headers={"content-type": "application/json"})


@abuse("bad_message")
async def tokens_that_are_none(server: Running) -> str:
    async with server.http() as http:
        return (await http.post("/v1/videos/decode", content=b"FRAMECAST TOKENS 1\n" + bytes(100))).json()["code"]


@abuse("not_found")
async def stream_that_is_not(server: Running) -> str:
    async with server.http() as http:
        return (await http.get("/v1/streams/nothing.mp4")).json()["code"]


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    """What the server said to each abuse, one after the other, and whether it serves a stream afterwards."""

    async def run() -> dict[str, str]:
        async with serving.running(**LIMITS) as server:
            found = {name: await function(server) for name, (_, function) in ABUSES.items()}
            await server.until_free()
            async with await server.client().stream(PROMPT) as stream:
                found["afterwards"] = str([(await anext(stream)).index for _ in range(6)])
            return found

    return asyncio.run(run())


@pytest.mark.parametrize("name", ABUSES)
def test_abuse_is_refused(answers, name):
    assert answers[name] == ABUSES[name][0]


def test_server_serves_on(answers):
    assert len(ABUSES) >= 40
    assert answers["afterwards"] == "[0, 1, 2, 3, 4, 5]"


def test_control_what_is_right_is_not_refused():
    async def run():
        async with serving.running(**LIMITS) as server, server.socket() as socket:
            return [(await socket.start(credits=240))["type"], (await socket.ask(type="prompt", prompt=OTHER))["type"]]

    assert asyncio.run(run()) == ["started", "prompted"]
