"""The page in a browser, on the shipped model: what it shows is what the library makes, and all of it can be reached."""

import asyncio
import os
import queue
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import serving
import torch

import framecast
from framecast.data import read_video
from framecast.data.images import encode_image
from framecast.sample import read_tokens

CHROMIUM = os.environ.get("FRAMECAST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path; install it or set FRAMECAST_CHROMIUM"),
]

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
        .filter((element) => written(element) && element.checkVisibility() && !element.closest(":disabled"))
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


@pytest.fixture(scope="module")
def generator():
    return framecast.load_generator()


@pytest.fixture(scope="module")
def address(generator) -> Iterator[str]:
    with serve(generator) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as library:
        browser = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; at the end none of them has complained, or asked another server for anything."""
    complaints, asked, contexts, allowed = [], set(), [], []

    def open_page(url: str, expect: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(re.sub(r"^(blob:|data:).*", "", request.url)))
        page.goto(url)
        contexts.append(context)
        allowed.append(expect)
        return page

    yield open_page
    for context in contexts:
        context.close()
    wrong = [text for text in complaints if not any(expect and expect in text for expect in allowed)]
    assert wrong == []
    assert {url for url in asked if url and not url.startswith("http://127.0.0.1:")} == set()


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


def test_what_is_seen_is_what_the_library_makes(address, open_page, generator):
    page = open_page(address)
    assert page.title() == "Framecast"
    begin(page)
    before, picture = pixels(page)
    until(lambda: shown(page) > before + 8)
    pause(page)
    index, later = pixels(page)
    assert not torch.equal(picture, later)
    assert torch.equal(later, library_frame(generator, index))
    assert "fps" in page.inner_text(".stats") and page.inner_text(".frame") == f"frame {index}"


def test_prompt_steers_and_the_receipt_holds(address, open_page, generator):
    page = open_page(address)
    begin(page)
    page.fill(".prompt", "it moves up")
    page.press(".prompt", "Enter")
    page.get_by_text("holds from frame").wait_for()
    prompt, start = re.fullmatch(r"“(.+)” holds from frame (\d+)\.", page.inner_text(".status")).groups()
    assert prompt == OTHER and int(start) > 12 and int(start) % 4 == 1
    until(lambda: shown(page) >= int(start) + 4)
    assert f"Seen at frame {start} after" in page.inner_text(".arrival")
    assert [segment.inner_text() for segment in page.locator(".segment").all()] == [PROMPT, "… moves up"]
    pause(page)
    index, picture = pixels(page)
    assert torch.equal(picture, library_frame(generator, index, {int(start): OTHER}))
    assert not torch.equal(picture, library_frame(generator, index))
    page.locator(".segment").first.click()
    assert PROMPT in page.inner_text(".detail")
    page.get_by_role("button", name="Use again").click()
    assert page.input_value(".prompt") == PROMPT


def test_pause_stops_and_play_goes_on(address, open_page):
    page = open_page(address)
    begin(page)
    pause(page)
    index, picture = pixels(page)
    time.sleep(0.7)
    again, same = pixels(page)
    assert index == again and torch.equal(picture, same)
    page.click(".play")
    until(lambda: shown(page) > index + 4)


def test_hidden_page_rests(address, open_page):
    page = open_page(address)
    begin(page)
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.wait_for_selector(".panel[data-state=paused]")
    index = shown(page)
    time.sleep(0.5)
    assert shown(page) == index
    page.evaluate(hide, False)
    until(lambda: shown(page) > index + 4)


def test_long_pause_gives_the_place_back_and_play_goes_on(open_page, generator):
    with serve(generator, idle_seconds=3) as url:
        page = open_page(url)
        begin(page)
        pause(page)
        until(lambda: httpx.get(f"{url}/healthz").json()["sessions"] == 0)
        time.sleep(3.5)
        index = shown(page)
        page.click(".play")
        until(lambda: shown(page) > index + 20)
        pause(page)
        index, picture = pixels(page)
        assert torch.equal(picture, library_frame(generator, index))
        with page.expect_download():
            page.click(".save[value=fct]")


def test_branch_shows_two_futures(address, open_page, generator):
    page = open_page(address)
    begin(page)
    page.click(".branch")
    page.fill(".branching input[name=other]", "4")
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    assert [title.inner_text() for title in page.locator(".title").all()] == ["Seed 3", "Seed 4"]
    start = max(shown(page), shown(page, 1))
    until(lambda: min(shown(page), shown(page, 1)) > start + 30)
    pause(page)
    pause(page, 1)
    (own, same), (_, other) = pixels(page), pixels(page, 1)
    distance = (same.int() - library_frame(generator, own).int()).abs().max()
    assert distance <= 1  # two streams in one batch
    assert not torch.equal(same, other)
    page.get_by_role("button", name="Close this video").first.click()
    page.wait_for_selector("#panels[data-count='1']")
    page.click(".play")
    index = shown(page)
    until(lambda: shown(page) > index)


def test_saved_files_open(address, open_page, generator, tmp_path):
    page = open_page(address)
    begin(page, frames=20)
    pause(page)
    index, _ = pixels(page)
    files = {}
    for kind in ("mp4", "fct"):
        with page.expect_download() as download:
            page.click(f".save[value={kind}]")
        assert download.value.suggested_filename == f"framecast-3.{kind}"
        files[kind] = tmp_path / f"video.{kind}"
        download.value.save_as(files[kind])
    video, tokens = read_video(files["mp4"]), read_tokens(files["fct"])
    assert (len(video.frames), video.fps) == (index + 1, 12)
    assert tokens.prompts == ((0, PROMPT),) and index < tokens.num_frames <= index + 4
    assert torch.equal(generator.decode(tokens.tokens)[index], library_frame(generator, index))
    page.click(".stop")
    page.wait_for_selector(".panel[data-state=ended]")
    with page.expect_download():
        page.click(".save[value=mp4]")


def test_h264_plays_in_a_video(address, open_page):
    page = open_page(address)
    page.click("summary")
    page.select_option("#format", "h264")
    begin(page, kind="video")
    video = page.locator(".picture video")
    before = video.evaluate("(video) => video.currentTime")
    until(lambda: video.evaluate("(video) => video.currentTime") > before + 1)
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [64, 64]
    page.click(".branch")
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    until(lambda: all(page.evaluate("[...document.querySelectorAll('video')].map((video) => video.currentTime > 0.5)")))


def test_video_starts_from_a_picture(address, open_page, generator, tmp_path):
    red = torch.zeros(64, 64, 3, dtype=torch.uint8)
    red[20:40, 20:40, 0] = 255
    (tmp_path / "picture.png").write_bytes(encode_image(red, "png"))
    page = open_page(address)
    page.click("summary")
    page.set_input_files("#picture", tmp_path / "picture.png")
    page.wait_for_selector(".preview canvas")
    begin(page)
    pause(page)
    index, picture = pixels(page)
    stream = generator.stream(PROMPT, 3, first_frames=red[None])
    assert torch.equal(picture, next(frame for frame in stream if frame.index == index).image)


def test_refused_start_can_be_mended(address, open_page):
    page = open_page(address)
    page.fill(".prompt", " ".join(["circle"] * 80))
    page.press(".prompt", "Enter")
    page.get_by_text("This prompt cannot be followed").wait_for()
    begin(page)


def test_refusal_is_said_and_the_video_goes_on(address, open_page):
    page = open_page(address)
    begin(page, "a small cyan square moves down, and a large orange ring stands still")
    assert not page.get_by_role("button", name="it stops").is_visible()  # it would be two things
    page.fill(".prompt", "it stops")
    page.press(".prompt", "Enter")
    page.get_by_text("This prompt cannot be followed").wait_for()
    assert "write the whole prompt again" in page.inner_text(".status")
    index = shown(page)
    until(lambda: shown(page) > index)


def test_lost_connection_is_made_again(open_page, generator):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serve(generator, port=port) as url:
        page = open_page(url, expect="Failed to load resource")
        begin(page)
    page.get_by_role("button", name="Reconnect").wait_for()
    assert "The server is going down" in page.inner_text(".status")
    with serve(generator, port=port):
        page.get_by_role("button", name="Reconnect").click()
        page.wait_for_selector(".panel[data-state=playing]")
        until(lambda: shown(page) >= 12)
        pause(page)
        index, picture = pixels(page)
        assert torch.equal(picture, library_frame(generator, index))


def test_token_is_asked_for_or_comes_in_the_address(open_page, generator, tmp_path):
    with serve(generator, token=TOKEN) as url:
        page = open_page(url, expect="401")
        for word in ("a-wrong-token", TOKEN):
            page.get_by_label("Token", exact=True).fill(word)
            page.get_by_role("button", name="Continue").click()
        begin(page)
        page.close()
        page = open_page(f"{url}/#token={TOKEN}")
        begin(page)
        assert TOKEN not in page.url
        with page.expect_download() as download:
            page.click(".save[value=mp4]")
        download.value.save_as(tmp_path / "video.mp4")
        assert len(read_video(tmp_path / "video.mp4").frames) > 12


def test_keys(address, open_page):
    page = open_page(address)
    begin(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_selector(".panel[data-state=paused]")
    page.keyboard.press("Space")
    page.wait_for_selector(".panel[data-state=playing]")
    page.keyboard.press("/")
    assert page.locator(".prompt").evaluate("(prompt) => prompt === document.activeElement")
    page.keyboard.press("Control+a")
    page.keyboard.type("it stops")
    page.keyboard.press("Enter")
    page.get_by_text("Seen at frame").wait_for()
    page.locator(".segment").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".segment").nth(1).evaluate("(segment) => segment === document.activeElement")
    assert "a large red circle stops" in page.inner_text(".detail")


def test_every_control_has_a_name(address, open_page):
    page = open_page(address)
    page.click("summary")
    begin(page)
    page.click(".branch")
    roles = "button|textbox|spinbutton|combobox|listbox|option|group|region|img|heading"
    nameless = [
        line for line in page.locator("body").aria_snapshot().splitlines() if re.match(rf"\s*- ({roles})(:|\s\[|$)", line)
    ]
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_layout_fits(address, open_page, width, scheme):
    page = open_page(address, viewport={"width": width, "height": 760}, color_scheme=scheme)
    page.click("summary")
    begin(page, frames=4)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = float(re.search(r"[\d.]+", ground).group()) > 0.5
    assert light == (scheme == "light"), ground
    page.click(".branch")
    page.locator(".segment").click()
    assert page.evaluate(LOW_CONTRAST) == []
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(fits)
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    assert page.evaluate(fits)
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
