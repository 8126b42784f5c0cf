"""The page of captions in a browser: everything by keys, on disk within a second, and two tabs that meet."""

import threading
import time

import numpy as np
import pytest
import uvicorn
from browsing import IN_BROWSER, LOW_CONTRAST, TOKEN, chromium, until
from video_folders import write_captions

from framecast.data import write_video
from framecast.data.captioning import CaptionFile
from framecast.serve import ServeConfig
from framecast.serve.captions.app import create_captions_app
from framecast.serve.captions.book import CaptionBook
from framecast.serve.captions.strips import Strips
from framecast.serve.server.listening import listen

pytestmark = IN_BROWSER


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        frames = np.random.default_rng(0).integers(0, 256, (48, 32, 48, 3), dtype=np.uint8)
        write_video(folder / name, frames, 12.0)
    write_captions(folder, {"file": "a.mp4", "captions": [{"start": 0, "end": 4, "text": "first"}], "by": "rules"})
    return folder


@pytest.fixture
def address(folder, tmp_path):
    app = create_captions_app(CaptionBook(folder), ServeConfig(token=TOKEN), Strips(tmp_path / "cache"))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")
    server, listener = uvicorn.Server(config), listen(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/#token={TOKEN}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser, address):
    contexts, complaints = [], []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#video:not([hidden])")
        until(lambda: page.evaluate("document.querySelector('#player').duration > 3.5"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def texts(folder, file="a.mp4") -> list[tuple[float, float, str]]:
    return [(text.start, text.end, text.text) for text in CaptionFile(folder).line(file).texts]


def test_a_video_is_captioned_by_keys_alone(open_page, folder):
    page = open_page()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    started = time.monotonic()
    until(lambda: texts(folder) == [(0.0, 2.0, "first"), (2.0, 4.0, "first")], 5)
    assert time.monotonic() - started < 1.5
    page.keyboard.press("Enter")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    until(lambda: texts(folder)[-1] == (2.0, 4.0, "second"), 5)
    assert CaptionFile(folder).line("a.mp4").by == "hand" and page.inner_text("#by") == "by hand"
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(",")
    page.keyboard.press("m")
    until(lambda: texts(folder) == [(0.0, 4.0, "first, second")], 5)
    page.keyboard.press("Delete")
    until(lambda: texts(folder) == [], 5)


def test_the_next_video_comes_by_a_key_and_begins_with_a_new_entry(open_page, folder):
    page = open_page()
    page.keyboard.press("j")
    until(lambda: page.inner_text("#file") == "b.mp4")
    page.keyboard.press("n")
    page.keyboard.type("a storm")
    until(lambda: [text for *_, text in texts(folder, "b.mp4")] == ["a storm"], 5)


def test_two_tabs_are_asked_whose_captions_stay(open_page, folder):
    one, other = open_page(), open_page()
    for page, word in ((one, "mine"), (other, "theirs")):
        page.keyboard.press("Enter")
        page.keyboard.type(word)
        page.keyboard.press("Enter")
        page.wait_for_timeout(800)
    assert [text for *_, text in texts(folder)] == ["mine"] and "changed elsewhere" in other.inner_text("#banner")
    other.get_by_role("button", name="Keep mine").click()
    until(lambda: [text for *_, text in texts(folder)] == ["theirs"], 5)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_and_nothing_is_cut_off_when_narrow(open_page, scheme):
    page = open_page(color_scheme=scheme, viewport={"width": 360, "height": 800})
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    fields = "[...document.querySelectorAll('button, input, textarea, select')]"
    unnamed = f"{fields}.filter((e) => !e.labels?.length && !e.ariaLabel && !e.textContent.trim())"
    assert page.evaluate(f"{unnamed}.length") == 0
