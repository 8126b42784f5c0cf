"""The Space of the docs: a page that everybody may open, and that the Hub may show inside of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import tiny_bundle

REPO = Path(__file__).resolve().parents[3]
APP = REPO / "docs" / "howto" / "space" / "app.py"


@pytest.fixture
def address(tmp_path):
    """Of the app, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "PYTHONPATH": str(REPO),
        "PORT": str(port),
        "SPACE_HOST": "ada-kitchen.hf.space",
        "MODEL": str(tiny_bundle.save(tmp_path / "bundle")),
    }
    environment = {**os.environ, **own}
    environment.pop("FRAMECAST_TOKEN", None)
    with subprocess.Popen([sys.executable, str(APP)], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


def page(address: str, host: str) -> httpx.Response:
    """The page as a browser asks for it that was led there by that name; waits until the app answers."""
    end = time.monotonic() + 60
    while True:
        try:
            return httpx.get(address, headers={"host": host}, trust_env=False)
        except httpx.ConnectError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_whoever_finds_the_space_may_use_it_and_the_hub_may_show_it(address):
    shown = page(address, "ada-kitchen.hf.space")
    assert shown.status_code == 200 and "frame-ancestors https://huggingface.co;" in shown.headers["content-security-policy"]
    assert httpx.get(f"{address}/v1/info", headers={"host": "ada-kitchen.hf.space"}, trust_env=False).status_code == 200
    assert page(address, "another.hf.space").status_code == 403
