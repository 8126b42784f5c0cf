"""The player's front end in a browser: draws in order and in time, says what it drew, and can be used without a mouse."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_bundle
from einops import rearrange

from framecast.data.images import encode_image
from framecast.serve.notebook.widget import module

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

REPO = Path(__file__).resolve().parents[3]
ADDRESS = "http://framecast.test/"
STATE = {"width": 24, "height": 16, "fps": 60.0, "num_frames": None, "playing": False, "ended": False}
STATE |= {"prompts": [[0, "a red ring"]], "notice": "", "error": "", "take": 0, "seed": "7"}
STATE["action_space"] = None
STATE["settings"] = {"temperature": 0.9, "guidance_scale": 2, "top_k": None, "top_p": None, "decoding": "row"}
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="player.css">
<div id="cell"></div>
<script type="module">
import player from "./player.js";
const state = STATE, hears = {};
window.sent = [];
window.keys = [];
document.addEventListener("keydown", (event) => keys.push(event.key), { capture: true });
const model = {
  get: (name) => state[name],
  send: (message) => sent.push(message),
  on: (event, call) => (hears[event] ??= []).push(call),
  off: (event, call) => (hears[event] = hears[event].filter((other) => other !== call)),
};
window.tell = (changes) => {
  Object.assign(state, changes);
  for (const name in changes) for (const call of hears[`change:${name}`] ?? []) call();
};
window.give = (name, text) => {
  const bytes = new DataView(new TextEncoder().encode(text).buffer);
  for (const call of hears["msg:custom"]) call({ kind: "file", name }, [bytes]);
};
window.feed = (message, data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  for (const call of hears["msg:custom"]) call({ kind: "frames", ...message }, [new DataView(bytes.buffer)]);
};
window.pixels = () => [...document.querySelector("canvas").getContext("2d").getImageData(0, 0, 24, 16).data];
window.show = () => (window.drop = player.render({ model, el: document.getElementById("cell") }));
show();
window.listeners = () => Object.values(hears).flat().length;
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser) -> Iterator[object]:
    page, strangers = browser.new_page(), []
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))

    def serve(route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name == "":
            route.fulfill(body=PAGE.replace("STATE", json.dumps(STATE)), content_type="text/html")
        elif name == "player.js":
            route.fulfill(body=module(), content_type="text/javascript")
        elif name == "player.css":
            route.fulfill(path=REPO / "serve" / "notebook" / name)
        else:
            strangers.extend([name] if name != "favicon.ico" else [])
            route.abort()

    page.route("**/*", serve)
    page.goto(ADDRESS)
    page.wait_for_function("window.drop !== undefined")
    yield page
    page.close()
    assert strangers == [] and errors == []


def feed(page, first: int, count: int, take: int = 0):
    """Sends frames to the page; returns them, uint8 `[T, H, W, 3]`."""
    frames = tiny_bundle.frames(count, seed=first)
    strip = base64.b64encode(encode_image(rearrange(frames, "t h w c -> (t h) w c"), "png")).decode()
    page.evaluate("([message, data]) => feed(message, data)", [{"first": first, "count": count, "take": take}, strip])
    return frames


def sent(page, kind: str) -> list[dict]:
    return [message for message in page.evaluate("sent") if message["kind"] == kind]


def wait_until_shown(page, index: int) -> None:
    page.wait_for_function(f"sent.some((message) => message.kind === 'shown' && message.index === {index})")


def rgb(page) -> list[int]:
    return [value for place, value in enumerate(page.evaluate("pixels()")) if place % 4 != 3]


def test_frames_are_drawn_and_told(page):
    assert sent(page, "ready") == [{"kind": "ready", "autoplay": True}]
    page.evaluate("tell({ playing: true })")
    feed(page, 0, 1)
    frames = feed(page, 1, 4)
    wait_until_shown(page, 4)
    assert [message["index"] for message in sent(page, "shown")] == [0, 4]
    assert rgb(page) == frames[-1].flatten().tolist(), "not one bit is lost"
    assert page.locator(".framecast-counter").inner_text() == "frame 4 · 0.1 s"
    feed(page, 1, 4)  # again, for a view that came late
    feed(page, 5, 4)
    wait_until_shown(page, 8)
    assert [message["index"] for message in sent(page, "shown")] == [0, 4, 8]


def test_a_pause_holds_at_once_and_a_restart_forgets(page):
    page.evaluate("tell({ playing: true })")
    feed(page, 0, 1)
    wait_until_shown(page, 0)
    page.get_by_role("button", name="Pause").press("Enter")
    feed(page, 1, 4)
    page.wait_for_timeout(200)
    assert sent(page, "pause") and [message["index"] for message in sent(page, "shown")] == [0]
    page.get_by_role("button", name="Restart").press("Space")
    page.evaluate("tell({ take: 1, playing: true })")
    feed(page, 5, 4, take=0)
    frames = feed(page, 0, 1, take=1)
    wait_until_shown(page, 0)
    page.wait_for_timeout(200)
    assert sent(page, "restart") and sent(page, "shown")[-1] == {"kind": "shown", "index": 0, "take": 1}
    assert rgb(page) == frames[0].flatten().tolist()


def test_a_prompt_is_sent_with_enter_and_listed(page):
    box = page.get_by_label("Prompt", exact=True)
    box.fill("a ring falls")
    box.press("Enter")
    assert sent(page, "prompt") == [{"kind": "prompt", "text": "a ring falls"}]
    notice = "“a ring falls” holds from frame 5."
    page.evaluate("tell", {"prompts": [[0, "a red ring"], [5, "a <b>ring</b> falls"]], "notice": notice})
    assert page.get_by_role("status").inner_text() == notice
    items = page.get_by_role("list", name="Prompts so far").get_by_role("listitem")
    assert items.all_inner_texts() == ["from the start\na red ring", "from frame 5\na <b>ring</b> falls"]
    assert [item.get_attribute("aria-current") for item in items.all()] == ["true", "false"]
    page.evaluate("tell", {"error": "got an empty prompt"})
    assert page.get_by_role("alert").inner_text() == "got an empty prompt"
    assert box.get_attribute("aria-invalid") == "true"


def test_keys_stay_in_the_player_but_for_those_of_the_notebook(page):
    box = page.get_by_label("Prompt", exact=True)
    for key in ("b", "Enter", "Escape", "Control+s"):
        box.press(key)
    assert [key for key in page.evaluate("keys") if key != "Control"] == ["Escape", "s"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(page, scheme):
    page.emulate_media(color_scheme=scheme)
    script = (
        "(part) => getComputedStyle(document.querySelector('.framecast-player'))[part].match(/\\d+/g).slice(0, 3).map(Number)"
    )
    paper, ink = (sum(page.evaluate(script, part)) / 3 for part in ("backgroundColor", "color"))
    assert abs(paper - ink) > 150 and (paper > ink) == (scheme == "light")


def test_a_view_that_goes_leaves_nothing_behind(page):
    page.evaluate("drop()")
    assert page.evaluate("sent.at(-1)") == {"kind": "gone"}
    assert page.evaluate("listeners()") == 0


def test_seed_and_settings_are_seen_and_changed(page):
    assert page.locator("summary").first.inner_text() == "Seed and settings seed 7"
    page.get_by_text("Seed and settings").click()
    assert page.get_by_label("Temperature").input_value() == "0.9" and page.get_by_label("Top k").input_value() == ""
    page.get_by_label("Seed", exact=True).fill("9223372036854775807")
    page.get_by_label("Top k").fill("5")
    page.get_by_label("Decoding").select_option("frame")
    page.get_by_role("button", name="Begin anew with these").click()
    settings = {"temperature": 0.9, "guidance_scale": 2, "top_k": 5, "top_p": None, "decoding": "frame"}
    assert sent(page, "restart") == [{"kind": "restart", "seed": "9223372036854775807", "settings": settings}]
    page.evaluate("tell", {"seed": "12", "settings": {**settings, "decoding": 4}})
    assert page.locator("summary").first.inner_text() == "Seed and settings seed 12"
    assert page.get_by_label("Decoding").input_value() == "4"
    page.get_by_role("button", name="Begin anew with these").click()
    assert sent(page, "restart")[-1]["settings"]["decoding"] == 4


def test_what_is_typed_stays_while_the_video_plays(page):
    page.get_by_text("Seed and settings").click()
    page.get_by_label("Seed", exact=True).fill("5")
    page.evaluate("tell({ playing: true })")
    assert page.get_by_label("Seed", exact=True).input_value() == "5"


SPACE = {
    "buttons": [{"name": "left", "key": "ArrowLeft", "group": None}, {"name": "jump", "key": "Space", "group": None}],
    "axes": [{"name": "wheel", "keys": ["KeyA", "KeyD"], "low": -1, "high": 1, "rest": 0}],
}


@pytest.fixture
def world(page):
    """The player of a world."""
    page.evaluate("(space) => { tell({ action_space: space, playing: true }); drop(); }", SPACE)
    page.evaluate("() => { document.getElementById('cell').replaceChildren(); sent.length = 0; show(); }")
    page.locator("canvas").focus()
    return page


def held(page) -> list[tuple]:
    return [(message["buttons"], message["axes"]) for message in sent(page, "control")]


def test_a_world_is_played_by_keys_and_buttons(world):
    world.keyboard.down("ArrowLeft")
    world.keyboard.down("Space")
    world.keyboard.up("ArrowLeft")
    world.locator("canvas").blur()  # and all is let go
    world.get_by_role("button", name="left, key Left arrow").hover()
    world.mouse.down()
    assert held(world) == [(["left"], {}), (["jump", "left"], {}), (["jump"], {}), ([], {}), (["left"], {})]
    assert world.evaluate("keys") == [], "the notebook hears nothing"
    clocks = [message["clock"] for message in sent(world, "control")]
    assert clocks == sorted(clocks) and clocks[0] > 0


def test_a_world_that_begins_anew_is_told_nothing_until_something_is_held(world):
    world.keyboard.down("ArrowLeft")
    world.evaluate("tell({ take: 1 })")
    assert held(world) == [(["left"], {}), ([], {})] and world.locator("[aria-pressed=true]").count() == 0
    world.keyboard.down("ArrowLeft")  # repeats, since it was never up
    assert len(held(world)) == 2
    world.keyboard.up("ArrowLeft")
    world.evaluate("tell({ take: 2 })")
    assert len(held(world)) == 2, "what a program does there is not undone"
    world.keyboard.down("ArrowLeft")
    assert held(world)[2:] == [(["left"], {})] and world.locator("[aria-pressed=true]").count() == 1


def test_keys_are_text_where_one_types(world):
    world.locator("input[type=text]").first.focus()
    world.keyboard.press("KeyA")
    assert held(world) == [] and world.locator("input[type=text]").first.input_value() == "a"


def test_key_to_picture_is_measured(world):
    world.keyboard.down("ArrowLeft")
    clock = sent(world, "control")[0]["clock"]
    frames = base64.b64encode(encode_image(tiny_bundle.frames(1)[0], "png")).decode()
    world.evaluate("([message, data]) => feed(message, data)", [{"first": 0, "count": 1, "take": 0, "clock": clock}, frames])
    wait_until_shown(world, 0)
    assert "key to picture" in world.locator(".framecast-counter").inner_text()


def test_a_file_is_saved_by_the_kernel_or_downloaded(page):
    page.get_by_text("Save", exact=True).click()
    page.get_by_label("File").fill("ring.webp")
    page.get_by_role("button", name="Save beside the notebook").click()
    assert sent(page, "save") == [{"kind": "save", "path": "ring.webp"}]
    page.get_by_role("button", name="Download").click()
    assert sent(page, "download") == [{"kind": "download", "path": "ring.webp"}]
    with page.expect_download() as found:
        page.evaluate("give('ring.webp', 'pixels')")
    assert found.value.suggested_filename == "ring.webp" and Path(found.value.path()).read_text() == "pixels"
