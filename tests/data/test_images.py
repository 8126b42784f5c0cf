"""Pictures as bytes and back."""

import io

import numpy as np
import pytest
from PIL import Image

from framecast.data import encode_webp
from framecast.data.images import decode_image, encode_image


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
