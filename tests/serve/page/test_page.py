"""The page in a browser, on the shipped model: what it shows is what the library makes, and all of it can be reached."""

import re
import socket
import time

import httpx
import pytest
import torch
from browsing import (
    IN_BROWSER,
    LOW_CONTRAST,
    OTHER,
    PROMPT,
    TOKEN,
    begin,
    download,
    library_frame,
    pause,
    pixels,
    serve,
    shown,
    until,
)

from framecast.data import read_video
from framecast.sample import read_tokens

pytestmark = IN_BROWSER


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
    assert "frames a second" in page.inner_text(".stats") and page.inner_text(".frame") == f"frame {index}"


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
    assert [segment.inner_text() for segment in page.locator(".segment").all()] == [PROMPT, "moves up"]
    assert page.locator(".segment strong").inner_text() == "up"
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
        download(page, "fct")


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
        file = download(page, kind)
        assert file.suggested_filename == f"framecast-3.{kind}"
        files[kind] = tmp_path / f"video.{kind}"
        file.save_as(files[kind])
    video, tokens = read_video(files["mp4"]), read_tokens(files["fct"])
    assert (len(video.frames), video.fps) == (index + 1, 12)
    assert tokens.prompts == ((0, PROMPT),) and index < tokens.num_frames <= index + 4
    assert torch.equal(generator.decode(tokens.tokens)[index], library_frame(generator, index))
    page.click(".stop")
    page.wait_for_selector(".panel[data-state=ended]")
    download(page, "mp4")


def test_h264_plays_in_a_video(address, open_page):
    page = open_page(address)
    page.click("#settings summary")
    page.select_option("#format", "h264")
    begin(page, kind="video")
    video = page.locator(".picture video")
    before = video.evaluate("(video) => video.currentTime")
    until(lambda: video.evaluate("(video) => video.currentTime") > before + 1)
    assert video.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [64, 64]
    page.click(".branch")
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    until(lambda: all(page.evaluate("[...document.querySelectorAll('.picture video')].map((video) => video.currentTime > 0.5)")))


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
        download(page, "mp4").save_as(tmp_path / "video.mp4")
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
    page.click("#settings summary")
    page.click(".known summary")
    begin(page)
    page.click(".branch")
    page.click(".download summary")
    roles = "button|textbox|spinbutton|combobox|listbox|option|group|region|img|heading"
    nameless = [
        line for line in page.locator("body").aria_snapshot().splitlines() if re.match(rf"\s*- ({roles})(:|\s\[|$)", line)
    ]
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_layout_fits(address, open_page, width, scheme):
    page = open_page(address, viewport={"width": width, "height": 760}, color_scheme=scheme)
    page.click("#settings summary")
    page.click(".known summary")
    begin(page, "a large purple circle moves right", frames=4)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = float(re.search(r"[\d.]+", ground).group()) > 0.5
    assert light == (scheme == "light"), ground
    page.click(".branch")
    page.locator(".segment").click()
    assert page.evaluate(LOW_CONTRAST) == []
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.evaluate(fits)
    page.click(".download summary")
    assert page.evaluate(fits) and page.evaluate(LOW_CONTRAST) == []
    page.keyboard.press("Escape")
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    page.wait_for_selector("#gallery li")
    assert page.evaluate(fits) and page.evaluate(LOW_CONTRAST) == []
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
