"""Pictures from anywhere become pixels of one size, or are refused in words."""

import io

import numpy as np
import pytest
from PIL import Image

from framecast.data.pictures import decode_picture

SIZE = (16, 24)


def encoded(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noise(height: int, width: int, mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(height * width)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def halves(height: int, width: int) -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def test_a_picture_of_the_size_keeps_its_pixels():
    image = noise(*SIZE)
    assert np.array_equal(decode_picture(encoded(image), SIZE), np.asarray(image))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(1, 1), (5, 900), (900, 5), (160, 240)])
def test_every_kind_and_shape_covers_the_size(format, size):
    assert decode_picture(encoded(noise(*size), format), SIZE).shape == (*SIZE, 3)


def test_the_middle_is_kept():
    wide = Image.new("RGB", (240, 16), "red")
    wide.paste("blue", (108, 0, 132, 16))
    assert (decode_picture(encoded(wide), SIZE) == (0, 0, 255)).all()


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture has to be turned to the right
    pixels = decode_picture(encoded(halves(24, 16), "JPEG", exif=exif, quality=95), SIZE)
    assert pixels[2, 12, 0] > 200 and pixels[-3, 12, 2] > 200, "red at the left comes to lie above"


def test_what_is_transparent_becomes_white():
    assert (decode_picture(encoded(Image.new("RGBA", (30, 30), (255, 0, 0, 0))), SIZE) == 255).all()


def test_a_file_that_moves_gives_its_first_frame():
    images = [Image.new("RGB", (24, 16), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        data = encoded(
            images[0], format, save_all=True, append_images=images[1:], **({} if format == "GIF" else {"lossless": True})
        )
        assert (decode_picture(data, SIZE)[0, 0] == (255, 0, 0)).all(), format


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_becomes_colour(mode):
    image = Image.new("L", (24, 16), 255).convert("RGBA" if mode == "LA" else "L").convert(mode)
    pixels = decode_picture(encoded(image, "JPEG" if mode == "CMYK" else "PNG"), SIZE)
    assert pixels.shape == (16, 24, 3) and (pixels > 250).all()


def test_sixteen_bits_of_grey_keep_their_brightness():
    pixels = decode_picture(encoded(Image.fromarray(np.full((16, 24), 51_400, np.uint16))), SIZE)
    assert pixels.shape == (16, 24, 3) and abs(int(pixels.mean()) - 200) <= 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no PNG, JPEG, WebP or GIF file"),
        (encoded(noise(8, 8), "BMP"), "no PNG, JPEG, WebP or GIF file"),
        (encoded(noise(80, 80))[:2000], "is damaged; wanted a whole one; save the picture anew"),
        (encoded(noise(40, 50)), "got a picture of 50 x 40 pixels; wanted at most 0.001 million; scale it down"),
    ],
)
def test_what_cannot_be_used_is_said(data, words):
    with pytest.raises(ValueError, match=words):
        decode_picture(data, SIZE, most=1000 if "50 x 40" in words else 10**6)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.filterwarnings("ignore:.*(EXIF|Tag data):UserWarning")
def test_damaged_files_are_read_or_refused(format):
    rng, base = np.random.default_rng(0), encoded(noise(20, 20), format)
    refused = 0
    for number in range(300):
        data = bytearray(base)
        for place in rng.integers(0, len(data), 1 + number % 4):
            data[place] = rng.integers(256)
        try:
            assert decode_picture(bytes(data[: rng.integers(1, 2 * len(data))]), SIZE).shape == (16, 24, 3)
        except ValueError as error:
            assert str(error).startswith("got a picture")
            refused += 1
    assert refused > 0
