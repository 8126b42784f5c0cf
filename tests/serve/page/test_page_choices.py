"""What a person chooses on the page: a picture to begin with, words, a moment and its futures, videos of this visit."""

import re
import time

import pytest
import torch
from browsing import (
    IN_BROWSER,
    OTHER,
    PROMPT,
    begin,
    library_frame,
    pause,
    pixels,
    serve,
    shown,
    until,
)

from framecast.data import read_video
from framecast.data.images import encode_image
from framecast.data.pictures import decode_picture
from framecast.sample import StreamBatch, read_tokens

pytestmark = IN_BROWSER

DROP = """([bytes, name, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(bytes)], name, { type }));
    for (const kind of ["dragover", "drop"]) {
        const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer });
        document.querySelector(".stage").dispatchEvent(event);
    }
}"""


def picture(height: int = 96, width: int = 160) -> bytes:
    """A red square in the middle of black, as a PNG file."""
    pixels = torch.zeros(height, width, 3, dtype=torch.uint8)
    pixels[30:60, 65:95, 0] = 255
    return encode_image(pixels, "png")


def drop(page, data: bytes, name: str = "red.png", kind: str = "image/png") -> None:
    page.wait_for_selector(".stage")
    page.evaluate(DROP, [list(data), name, kind])


def test_a_dropped_picture_is_the_first_frame(address, open_page, generator):
    page = open_page(address)
    drop(page, picture())
    page.get_by_text("The next video begins with red.png.").wait_for()
    assert page.locator(".offered canvas").is_visible() and not page.locator(".hint").is_visible()
    begin(page)
    pause(page)
    index, seen = pixels(page)
    first = torch.from_numpy(decode_picture(picture(), (64, 64)))[None]
    stream = generator.stream(PROMPT, 3, first_frames=first)
    assert torch.equal(seen, next(frame for frame in stream if frame.index == index).image)
    assert not page.locator(".given").is_visible(), "the picture is used up"
    page.click(".restart")
    until(lambda: 0 < shown(page) < index)
    pause(page)
    index, seen = pixels(page)
    stream = generator.stream(PROMPT, 3, first_frames=first)
    assert torch.equal(seen, next(frame for frame in stream if frame.index == index).image), "begun again from the picture"


def test_a_picture_can_be_chosen_while_a_video_plays_and_removed(address, open_page, tmp_path):
    (tmp_path / "red.png").write_bytes(picture())
    page = open_page(address)
    begin(page)
    page.set_input_files(".file", tmp_path / "red.png")
    page.get_by_role("button", name="Start").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Steer").wait_for()
    page.set_input_files(".file", tmp_path / "red.png")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("#gallery li")
    page.wait_for_selector(".panel[data-state=playing]")
    assert shown(page) < 12


def test_what_is_no_picture_is_said(address, open_page):
    page = open_page(address)
    drop(page, b"nothing", "words.txt", "text/plain")
    page.get_by_text("This picture cannot be used: words.txt is no picture that this browser can read").wait_for()
    begin(page)


def test_a_picture_that_the_server_refuses_is_said(address, open_page):
    page = open_page(address)
    page.route(
        "**/static/picture.js",
        lambda route: route.fulfill(
            body="""export const draggedFile = (transfer) => transfer.files[0];
        export const readPicture = async (file) => ({ name: file.name, bytes: await file.arrayBuffer(),
        canvas: Object.assign(document.createElement("canvas"), { width: 64, height: 64 }) });""",
            content_type="text/javascript",
        ),
    )
    page.reload()
    page.wait_for_selector(".panel")
    drop(page, b"nothing")
    page.get_by_text("The next video begins with red.png").wait_for()
    page.press(".prompt", "Enter")
    page.get_by_text("This picture cannot be used: got a picture that is no PNG, JPEG, WebP or GIF file").wait_for()
    page.get_by_role("button", name="Remove").click()
    begin(page)


def test_a_real_picture_is_said_to_be_redrawn_roughly(address, open_page):
    page = open_page(address)
    rows, columns = torch.meshgrid(torch.arange(90), torch.arange(90), indexing="ij")
    drop(page, encode_image(torch.stack([rows * 2, columns * 2, 255 - rows * 2], -1).to(torch.uint8), "png"))
    page.get_by_text("The next video begins with red.png").wait_for()
    begin(page)
    assert "This model redraws your picture only roughly" in page.inner_text(".notes")
    begin(page, "a large red circle stops", frames=20)
    assert page.inner_text(".notes") == ""


def test_unknown_words_are_marked_as_one_types(address, open_page, generator):
    page = open_page(address)
    page.fill(".prompt", "a large purple dragon moves right")
    assert page.locator(".marks mark").all_inner_texts() == ["purple", "dragon"]
    assert page.inner_text(".unknown") == "This model does not know “purple” and “dragon”."
    page.fill(".prompt", "A large RED circle, moves right; at 2s it stops.")
    assert page.locator(".marks mark").count() == 0 and page.inner_text(".unknown") == ""
    page.fill(".prompt", "a large")
    page.click(".known summary")
    assert page.locator(".known .chip").all_inner_texts() == sorted(generator.text_tokenizer.words)
    page.locator(".known .chip", has_text=re.compile("^cyan$")).click()
    assert page.input_value(".prompt") == "a large cyan "


@pytest.mark.parametrize(
    "text", ["a Dragon's tail", "2 red circles", "“a red ring!”", "a red-hot ring", "ⓐ ring, 9 stars & more", "ring…"]
)
def test_the_page_marks_what_the_library_does_not_know(address, open_page, generator, text):
    page = open_page(address)
    page.fill(".prompt", text)
    marked = [word.lower() for word in page.locator(".marks mark").all_inner_texts()]
    assert list(dict.fromkeys(marked)) == generator.text_tokenizer.unseen(text)


def test_two_futures_of_a_chosen_moment_have_a_prompt_each(address, open_page, generator):
    page = open_page(address)
    begin(page, frames=40)
    page.locator(".track").click(position={"x": 70, "y": 8})  # at 48 pixels a second
    assert re.match(r"0:01, frame 17\b", page.inner_text(".detail"))
    page.locator(".segment").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert re.match(r"0:01, frame 12\b", page.inner_text(".detail"))
    page.locator(".track").click(position={"x": 70, "y": 8})
    page.get_by_role("button", name="Two futures from here").click()
    assert page.inner_text(".branching h3") == "Two futures from 0:01 on"
    page.get_by_label("Second prompt").fill(OTHER)
    page.get_by_label("Second seed").fill("3")
    page.get_by_role("button", name="Show both").click()
    page.wait_for_selector("#panels[data-count='2']")
    assert page.locator(".title").all_inner_texts() == ["Seed 3", f"“{OTHER}”, seed 3"]
    until(lambda: min(shown(page), shown(page, 1)) > 30)
    pause(page)
    pause(page, 1)
    (own, same), (changed, other) = pixels(page), pixels(page, 1)
    assert (same.int() - library_frame(generator, own).int()).abs().max() <= 1  # two streams in one batch
    assert (other.int() - library_frame(generator, changed, {17: OTHER}).int()).abs().max() <= 1
    assert page.locator(".panel >> nth=1 >> .segment").all_inner_texts() == [PROMPT, "moves up"]


def test_videos_of_this_visit_are_played_and_downloaded(address, open_page, tmp_path):
    page = open_page(address)
    begin(page, frames=20)
    page.click(".stop")
    page.locator("#gallery li").wait_for()
    page.fill("#seed", "4")
    page.click(".restart")
    until(lambda: 8 < shown(page) < 20)
    page.click(".stop")
    until(lambda: page.locator("#gallery li").count() == 2)
    page.get_by_role("button", name=re.compile(f"Play: {PROMPT}.*seed 3")).click()
    until(lambda: page.locator("#replay video").evaluate("(video) => video.currentTime") > 0.3)
    for name, kind in (("Download video", "mp4"), ("Download tokens", "fct")):
        with page.expect_download() as found:
            page.locator("#replay").get_by_role("button", name=name).click()
        assert found.value.suggested_filename == f"framecast-3.{kind}"
        found.value.save_as(tmp_path / f"video.{kind}")
    length = len(read_video(tmp_path / "video.mp4").frames)
    assert length > 20 and length <= read_tokens(tmp_path / "video.fct").num_frames <= length + 3
    page.locator("#replay").get_by_role("button", name="Use again").click()
    assert page.input_value("#seed") == "3" and page.input_value(".prompt") == PROMPT
    page.locator("#gallery button").first.click()
    page.locator("#replay").get_by_role("button", name="Remove").click()
    assert page.locator("#gallery li").count() == 1


def test_the_gallery_keeps_the_newest(address, open_page):
    page = open_page(address)
    page.evaluate("""async () => {
        const tokens = { name: "x.fct", blob: new Blob() };
        const { Gallery } = await import("/static/gallery.js");
        window.gallery = new Gallery(document.querySelector("#gallery"), document.querySelector("#replay"), 12);
        const element = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
        for (let seed = 0; seed < 30; seed++) {
            gallery.put(seed, { prompts: [[0, "a ring"]], seed, frames: 12, tokens, element });
        }
        gallery.put(20, { prompts: [[0, "a star"]], seed: 20, frames: 24, tokens, element });
    }""")
    labels = [button.get_attribute("aria-label") for button in page.locator("#gallery button").all()]
    assert len(labels) == 24 and labels[0] == "Play: a star, 0:02, seed 20" and labels[1] == "Play: a ring, 0:01, seed 29"
    assert "Play: a ring, 0:01, seed 20" not in labels


def test_slower_than_real_time_is_said(open_page, generator, monkeypatch):
    step = StreamBatch.step

    def slowly(batch: StreamBatch) -> None:
        time.sleep(0.6)
        step(batch)

    with serve(generator) as url:
        page = open_page(url)
        begin(page)
        assert not page.locator(".slow").is_visible()
        monkeypatch.setattr(StreamBatch, "step", slowly)
        page.get_by_text("Slower than real time").wait_for()
        assert re.fullmatch(
            r"Slower than real time: the video runs at 0\.\d of its speed, since \d+ frames a second come, and 12 would play\.",
            page.inner_text(".slow"),
        )
        monkeypatch.undo()
        page.locator(".slow").wait_for(state="hidden")


def test_the_picture_is_sharp_or_smooth(address, open_page):
    page = open_page(address)
    begin(page)
    style = "(canvas) => getComputedStyle(canvas).imageRendering"
    assert page.locator(".picture canvas").evaluate(style) == "pixelated"
    page.get_by_role("button", name="Sharp picture").click()
    assert page.locator(".picture canvas").evaluate(style) == "auto"
    page.reload()
    page.get_by_role("button", name="Smooth picture").wait_for()


def test_downloads_say_what_tokens_are(address, open_page):
    page = open_page(address)
    begin(page)
    page.click(".download summary")
    assert "Tokens are the numbers that the model makes" in page.inner_text(".choices")
    page.keyboard.press("Escape")
    assert not page.locator(".choices").is_visible()
    assert page.locator(".download summary").evaluate("(summary) => summary === document.activeElement")


CHANGES = {
    ("", "a red ring"): "a red ring",
    ("a red circle moves right", "a red circle moves up"): "moves [up]",
    ("a red circle moves right", "a blue circle moves right"): "a [blue]",
    ("a red circle moves right", "a blue circle moves up"): "a [blue] … moves [up]",
    ("a cat runs", "the cat runs"): "[the] cat",
    ("a ring falls, then stops", "a ring falls,"): "now only a ring falls,",
    ("a ring", "many blue stars fall"): "many blue stars fall",
}


def test_changed_words_come_first(address, open_page):
    page = open_page(address)
    for (before, prompt), wanted in CHANGES.items():
        pieces = page.evaluate("async ([a, b]) => (await import('/static/changes.js')).changedWords(a, b)", [before, prompt])
        assert " ".join(f"[{piece['text']}]" if piece["changed"] else piece["text"] for piece in pieces) == wanted
