"""Who may talk to the server: by which name, from which page, with which token."""

import asyncio

import pytest
import serving
from serving import PROMPT
from websockets.exceptions import InvalidStatus

TOKEN = "a-token-that-is-long"


def status(path: str = "/v1/info", headers: dict[str, str] | None = None, method: str = "GET", **config) -> tuple[int, str]:
    """Status and error code of one request."""

    async def run():
        async with serving.running(**config) as server, server.http() as http:
            answer = await http.request(method, path, headers={"host": f"127.0.0.1:{server.port}", **(headers or {})})
            body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            return answer.status_code, body.get("code", "")

    return asyncio.run(run())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::1]:8000", "LOCALHOST:1", "my.machine:8000"])
def test_own_names_pass(host):
    assert status(headers={"host": host}, hosts=("my.machine",))[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "a:b:c", "localhost@evil"])
def test_other_names_are_refused(host):
    assert status(headers={"host": host}) in [(403, "forbidden_host"), (400, "")]  # the HTTP library may refuse it first


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "https://evil.example:443"])
def test_pages_of_other_sites_are_refused(origin):
    assert status(headers={"origin": origin}) == (403, "forbidden_origin")
    assert status("/v1/videos", {"origin": origin}, "POST") == (403, "forbidden_origin")


def test_own_and_allowed_pages_pass():
    assert status(headers={"origin": "https://friend.example"}, origins=("https://friend.example",))[0] == 200
    assert status(headers={"host": "localhost:8000", "origin": "http://localhost:8000"})[0] == 200


@pytest.mark.parametrize("shown", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"])
def test_token_is_asked_for(shown):
    headers = {} if shown is None else {"authorization": shown}
    for path in ("/v1/info", "/metrics", "/openapi.json", "/v1/schema.json"):
        assert status(path, headers, token=TOKEN) == (401, "unauthorized")


def test_token_opens_and_the_page_needs_none():
    assert status("/metrics", {"authorization": f"Bearer {TOKEN}"}, token=TOKEN)[0] == 200
    for path in ("/", "/healthz"):
        assert status(path, token=TOKEN)[0] == 200
    assert status("/", method="POST", token=TOKEN) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("options", "status"),
    [({"name": "evil.example"}, 403), ({"origin": "http://evil.example"}, 403), ({}, 401)],
    ids=["host", "origin", "token"],
)
def test_socket_is_refused_before_it_opens(options, status):
    async def run():
        async with serving.running(token=TOKEN) as server:
            with pytest.raises(InvalidStatus) as caught:
                async with server.socket(**options):
                    pass
            assert caught.value.response.status_code == status
            assert not server.service.taken

    asyncio.run(run())


def test_socket_opens_with_the_token():
    async def run():
        async with serving.running(token=TOKEN) as server:
            async with server.socket(subprotocols=["framecast.v1", f"bearer.{TOKEN}"]) as socket:
                assert socket.connection.subprotocol == "framecast.v1"
                assert (await socket.start())["type"] == "started"
            async with server.socket(additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
                assert (await socket.start(prompt=PROMPT))["type"] == "started"

    asyncio.run(run())


def test_large_bodies_are_not_read():
    async def stream():
        for _ in range(3):
            yield b"x"

    async def run():
        async with serving.running(max_text=1000) as server, server.http() as http:
            large = await http.post("/v1/videos", content=b"x" * 1001)
            endless = await http.post("/v1/videos", content=stream())
            return [(answer.status_code, answer.json()["code"]) for answer in (large, endless)]

    assert asyncio.run(run()) == [(413, "too_large")] * 2


def test_answers_carry_the_safety_headers():
    async def run():
        async with serving.running() as server, server.http() as http:
            return (await http.get("/")).headers

    headers = asyncio.run(run())
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("framed_by", "said"),
    [((), "frame-ancestors 'none';"), (("https://a.org", "https://b.org"), "frame-ancestors https://a.org https://b.org;")],
)
def test_the_page_is_shown_by_no_other_site_unless_it_was_named(framed_by, said):
    async def policy() -> str:
        async with serving.running(framed_by=framed_by) as server, server.http() as http:
            return (await http.get("/")).headers["content-security-policy"]

    assert said in asyncio.run(policy())
