"""A world on the page: held keys reach it, text does not, and what was played can be had."""

import json
import time

import pytest
import tiny_world
from browsing import IN_BROWSER, LOW_CONTRAST, download, serve, shown, until

from framecast.sample import read_tokens

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def world():
    """A server of a world whose acts are noted: what the engine has read, in words."""
    with serve(tiny_world.generator()) as url:
        yield url


def play(open_page, world, **options):
    page = open_page(world, **options)
    page.click(".play")
    until(lambda: shown(page) >= 4)
    return page


def pressed(page) -> list[str]:
    """The buttons of the pad that are marked as held."""
    return [each.inner_text().split()[0] for each in page.locator(".pad-button[aria-pressed=true]").all()]


def played(page) -> list[str]:
    """What was held in the frames so far, each once in a row."""
    path = download(page, "ndjson").path()
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert head["action_space"] == tiny_world.SPACE.to_json()
    found = []
    for line in lines[1:]:
        held = line["action"]
        words = "+".join(held["buttons"] + [f"{name} {value:g}" for name, value in held.get("axes", {}).items()])
        if not found or found[-1] != words:
            found.append(words)
    return found


def hold(page, *codes: str, seconds: float = 0.6) -> list[str]:
    for code in codes:
        page.keyboard.down(code)
    time.sleep(seconds)
    marked = pressed(page)
    for code in codes:
        page.keyboard.up(code)
    time.sleep(seconds)
    return marked


def test_keys_are_held_and_the_newest_of_a_group_counts(open_page, world):
    page = play(open_page, world)
    assert hold(page, "ArrowLeft") == ["left"]
    assert hold(page, "ArrowLeft", "ArrowRight") == ["right"]
    hold(page, "ArrowUp")
    assert "key to picture" in page.inner_text(".figures")
    assert played(page)[:6] == ["", "left", "", "left", "right", ""] or "right" in played(page)
    assert "gas 1" in played(page)


def test_keys_are_text_in_a_text_box_and_are_let_go(open_page, world):
    page = play(open_page, world)
    page.keyboard.down("ArrowLeft")
    until(lambda: pressed(page) == ["left"])
    page.fill(".prompt", "a ring")
    assert pressed(page) == []
    page.press(".prompt", "ArrowLeft")
    page.press(".prompt", "Space")
    assert pressed(page) == [] and page.input_value(".prompt") == "a rin g"
    page.press(".prompt", "Escape")
    page.keyboard.up("ArrowLeft")
    page.keyboard.down("ArrowRight")
    until(lambda: pressed(page) == ["right"])
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    assert pressed(page) == []


def test_prompt_steers_while_one_plays(open_page, world):
    page = play(open_page, world)
    page.fill(".prompt", "a blue square moves up")
    page.press(".prompt", "Enter")
    page.get_by_text("holds from frame").wait_for()
    assert hold(page, "ArrowLeft") == ["left"], "keys play again"


def test_fingers_hold_several_buttons(open_page, world):
    page = play(open_page, world, has_touch=True, viewport={"width": 390, "height": 844})
    left, slider = page.locator(".pad-button").first, page.locator(".pad-axis input")
    left.hover()
    page.mouse.down()
    until(lambda: pressed(page) == ["left"])
    slider.evaluate("(slider) => { slider.value = 0.5; slider.dispatchEvent(new Event('input')); }")
    time.sleep(0.5)
    page.mouse.up()
    slider.dispatch_event("change")
    until(lambda: pressed(page) == [])
    assert slider.input_value() == "0"
    assert "left+gas 0.5" in played(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_world_is_paused_and_goes_on_and_its_tokens_are_saved(open_page, world, tmp_path):
    page = play(open_page, world)
    hold(page, "ArrowLeft")
    page.keyboard.press("p")
    page.wait_for_selector(".panel[data-state=paused]")
    page.keyboard.press("ArrowLeft")  # is nobody's now
    page.keyboard.press("p")
    page.wait_for_selector(".panel[data-state=playing]")
    download(page, "fct").save_as(tmp_path / "game.fct")
    assert read_tokens(tmp_path / "game.fct").header.action_space == tiny_world.SPACE
    assert tiny_world.generator().replay(tmp_path / "game.fct").same


def test_keys_play_one_of_two_futures(open_page, world):
    page = play(open_page, world)
    page.click(".branch")
    page.click(".branching .primary")
    page.wait_for_selector("#panels[data-count='2']")
    until(lambda: min(shown(page), shown(page, 1)) > 10)
    for place in (1, 0):
        page.locator(f".panel >> nth={place} >> .picture").click()
        page.keyboard.down("ArrowRight")
        until(lambda place=place: page.locator(f".panel >> nth={place} >> .pad-button[aria-pressed=true]").count() == 1)
        assert page.locator(".pad-button[aria-pressed=true]").count() == 1
        page.keyboard.up("ArrowRight")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(open_page, world, scheme):
    page = play(open_page, world, color_scheme=scheme)
    page.keyboard.down("ArrowLeft")
    until(lambda: pressed(page) == ["left"])
    time.sleep(0.3)
    assert page.evaluate(LOW_CONTRAST) == []
    names = [each.get_attribute("aria-label") for each in page.locator(".pad-button").all()]
    assert names == ["left, key Left arrow", "right, key Right arrow"]
