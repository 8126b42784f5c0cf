"""Contact sheets and animated pictures."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import contact_sheet, encode_apng, encode_gif, encode_webp
from framecast.data.images import decode_image, encode_image

RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(colour, num_frames: int = 4, height: int = 20, width: int = 30) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (num_frames, height, width, 3)).copy()


def count(sheet: Image.Image, colour) -> int:
    return int((np.asarray(sheet) == colour).all(-1).sum())


@pytest.mark.parametrize(("every", "shown"), [(1, 4), (2, 2), (3, 2), (4, 1)])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_sheet_shows_every_frame_of_every_row(every, shown, scale):
    rows = [plain(RED), torch.from_numpy(plain(BLUE, height=10))]
    sheet = contact_sheet(rows, labels=["red", "a blue one"], every=every, scale=scale)
    assert count(sheet, RED) == shown * 20 * 30 * scale**2
    assert count(sheet, BLUE) == shown * 10 * 30 * scale**2
    red = np.argwhere((np.asarray(sheet) == RED).all(-1))
    blue = np.argwhere((np.asarray(sheet) == BLUE).all(-1))
    assert red[:, 0].max() < blue[:, 0].min()  # rows in order
    assert red[:, 1].min() == blue[:, 1].min()  # columns in line


def test_frame_numbers_and_labels_are_drawn():
    rows = [plain(RED, 2, 40, 40)]
    assert (np.asarray(contact_sheet(rows))[:10] < 100).any()
    labelled = contact_sheet(rows, labels=["a label that is much wider than both of the frames are"])
    assert labelled.height > contact_sheet(rows).height and labelled.width > contact_sheet(rows).width


def test_rows_may_differ_in_length():
    sheet = contact_sheet([plain(RED, 1), plain(BLUE, 12)])
    assert (count(sheet, RED), count(sheet, BLUE)) == (600, 7200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": []}, "got no rows; a contact sheet wants at least one video"),
        ({"rows": [plain(RED)[0]]}, r"frames are uint8 \[20, 30, 3\]; wanted uint8 \[T, H, W, 3\]"),
        ({"labels": ["a", "b"]}, "got 2 labels for 1 rows"),
        ({"every": 0}, "every is 0"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(**{"rows": [plain(RED)], **options})


@pytest.mark.parametrize("fps", [12, 30, 7.5])
@pytest.mark.parametrize(("encode", "tick"), [(encode_apng, 1), (encode_webp, 1), (encode_gif, 10)])
def test_animations_keep_frames_and_do_not_drift(encode, tick, fps):
    frames = np.random.default_rng(0).integers(0, 256, (25, 8, 9, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode(torch.from_numpy(frames), fps))) as image:
        assert image.n_frames == 25
        seconds = 0.0
        for index in range(25):
            image.seek(index)
            picture = np.asarray(image.convert("RGB"))
            seconds += image.info["duration"] / 1000
            assert abs(seconds - (index + 1) / fps) <= tick / 2000 + 1e-6
            np.testing.assert_array_equal(picture, frames[index])


@pytest.mark.parametrize("loops", [0, 1])
def test_a_webp_plays_as_often_as_it_is_told(loops):
    frames = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3), dtype=np.uint8)
    assert Image.open(io.BytesIO(encode_webp(frames, 12.0, loops))).info["loop"] == loops


@pytest.mark.parametrize("format", ["png", "webp"])
def test_a_picture_keeps_every_bit(format):
    frame = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decode_image(encode_image(frame, format), (5, 7)), frame)


def test_a_jpeg_keeps_what_is_smooth():
    frame = np.broadcast_to(np.arange(0, 160, 10, dtype=np.uint8)[:, None, None], (16, 24, 3))
    assert np.abs(decode_image(encode_image(frame, "jpeg"), (16, 24)).astype(int) - frame).max() < 12


@pytest.mark.parametrize(("data", "words"), [(b"", "cannot identify"), (b"GIF89a", "cannot"), (b"\x89PNG\r\n\x1a\n", "")])
def test_what_is_no_picture_is_said(data, words):
    with pytest.raises(ValueError, match=f"got a picture that cannot be used: .*{words}"):
        decode_image(data, (5, 7))


def test_a_picture_of_another_size_is_said():
    with pytest.raises(ValueError, match="got a picture that cannot be used: 5 x 7 pixels; wanted 7 x 5; scale it first"):
        decode_image(encode_image(np.zeros((5, 7, 3), np.uint8), "png"), (7, 5))
