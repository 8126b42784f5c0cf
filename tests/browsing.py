"""The page of a server in a browser: what a person does there, and sees."""

import asyncio
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
import serving
import torch

CHROMIUM = os.environ.get("FRAMECAST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
IN_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path; install it or set FRAMECAST_CHROMIUM"),
    pytest.mark.skipif(not find_spec("playwright"), reason="playwright is not installed: pip install '.[browser]'"),
]
"""The marks of tests that use the page."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as library:
        browser = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


PROMPT, OTHER, TOKEN = "a large red circle moves right", "a large red circle moves up", "a-token-that-is-long"
PIXELS = """(canvas) => {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return [Number(canvas.dataset.frame), Array.from(data)];
}"""

LOW_CONTRAST = """() => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const mixed = (colours) => {
        for (const colour of ["white", ...colours]) {
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
        }
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (element) => {
        const grounds = [];
        for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
        const colours = [mixed([...grounds, getComputedStyle(element).color]), mixed(grounds)];
        const [dark, light] = colours.map(luminance).sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const written = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return [...document.querySelectorAll("body *:not(option)")]
        .filter((element) => written(element) && element.checkVisibility() && !element.closest(":disabled, .marks"))
        .filter((element) => contrast(element) < 4.5)
        .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 20)}`);
}"""
"""What is written in colours that are too alike, by WCAG AA."""


@contextmanager
def serve(generator, **config) -> Iterator[str]:
    """A server in a thread, and its address."""
    addresses, done = queue.Queue[str](), threading.Event()

    async def run() -> None:
        async with serving.running(generator, **config) as server:
            addresses.put(server.url)
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield addresses.get(timeout=60)
    finally:
        done.set()
        thread.join()


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def shown(page, panel: int = 0, kind: str = "canvas") -> int:
    """Index of the frame that is seen; -1 before the first."""
    return int(page.locator(f".panel >> nth={panel} >> .picture {kind}").first.get_attribute("data-frame") or -1)


def begin(page, prompt: str = PROMPT, seed: int = 3, frames: int = 12, kind: str = "canvas") -> None:
    page.locator("#settings").evaluate("(settings) => (settings.open = true)")
    page.fill("#seed", str(seed))
    page.fill(".prompt", prompt)
    page.press(".prompt", "Enter")
    page.wait_for_selector(f".picture {kind}")
    until(lambda: shown(page, kind=kind) >= frames)


def pixels(page, panel: int = 0) -> tuple[int, torch.Tensor]:
    """The frame that is seen: its index, and its pixels uint8 `[H, W, 3]`."""
    canvas = page.locator(f".panel >> nth={panel} >> .picture canvas")
    index, data = canvas.evaluate(PIXELS)
    return index, torch.tensor(data, dtype=torch.uint8).view(64, 64, 4)[..., :3]


def library_frame(generator, index: int, changes: dict[int, str] | None = None, seed: int = 3) -> torch.Tensor:
    stream = generator.stream(PROMPT, seed)
    while True:
        if not stream.pending and stream.next_index in (changes or {}):
            stream.set_prompt(changes[stream.next_index])
        frame = next(stream)
        if frame.index == index:
            return frame.image


def pause(page, panel: int = 0) -> None:
    page.click(f".panel >> nth={panel} >> .play[aria-label=Pause]")
    page.wait_for_selector(f".panel >> nth={panel} >> .play[aria-label=Play]")


def download(page, kind: str):
    """What the page saves."""
    page.click(".download summary")
    with page.expect_download() as found:
        page.click(f".save[value={kind}]")
    return found.value
