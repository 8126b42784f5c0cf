"""Pictures of any size, fitted to the size of a model."""

import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import fit_frames, read_video, write_video
from framecast.data.fitting import fit_picture, read_picture

HALVES = np.zeros((40, 80, 3), np.uint8)
HALVES[:, :40, 0] = 255  # red at the left
HALVES[:, 40:, 2] = 255


def test_a_wide_picture_loses_its_sides_and_keeps_its_middle():
    fitted = fit_picture(Image.fromarray(HALVES), (20, 20))
    assert fitted.shape == (20, 20, 3) and fitted.dtype == np.uint8
    assert (fitted[:, :9] == [255, 0, 0]).all() and (fitted[:, 11:] == [0, 0, 255]).all()
    larger = fit_picture(Image.fromarray(HALVES), (100, 100))
    assert (larger[:, :45, 0] > 250).all() and (larger[:, 55:, 2] > 250).all()


def test_a_picture_of_the_size_keeps_its_pixels():
    noise = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    assert (fit_picture(Image.fromarray(noise), (8, 12)) == noise).all()
    assert (fit_picture(Image.fromarray(noise)) == noise).all()
    assert torch.equal(fit_frames(noise[None], (8, 12)), torch.from_numpy(noise[None]))


def test_frames_are_fitted_as_a_video_file_is(tmp_path):
    smooth = np.stack([np.roll(np.linspace(0, 255, 64, dtype=np.uint8), 8 * t) for t in range(3)])
    frames = np.broadcast_to(smooth[:, None, :, None], (3, 48, 64, 3)).copy()
    write_video(tmp_path / "video.mkv", frames, 12)
    read = read_video(tmp_path / "video.mkv", size=24).frames
    assert (fit_frames(frames, (24, 24)).int() - read.int()).abs().float().mean() < 3


def test_a_picture_is_turned_as_its_camera_was_held(tmp_path):
    picture = Image.fromarray(HALVES)
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    pixels = read_picture(tmp_path / "turned.jpg")
    assert pixels.shape == (80, 40, 3) and pixels[:30, :, 0].min() > 200 and pixels[50:, :, 2].min() > 200


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_every_mode_becomes_red_green_and_blue(mode):
    if mode == "I;16":
        picture = Image.fromarray(np.full((8, 8), 128 * 256, np.uint16))
    else:
        picture = Image.new("RGB", (8, 8), (128, 128, 128)).convert(mode)
    pixels = fit_picture(picture, (4, 4))
    assert pixels.shape == (4, 4, 3) and (mode == "1" or abs(int(pixels.mean()) - 128) < 8)


def test_only_still_pictures_are_pictures(tmp_path):
    write_video(tmp_path / "moving.gif", np.stack([HALVES, HALVES[::-1, ::-1]]), 12)
    write_video(tmp_path / "video.mp4", np.stack([HALVES, HALVES]), 12)
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(HALVES).save(tmp_path / "still.gif")
    for name in ("moving.gif", "video.mp4", "text.png", "nowhere.png", "."):
        assert read_picture(tmp_path / name) is None
    assert read_picture(tmp_path / "still.gif").shape == (40, 80, 3)


def test_a_damaged_picture_is_named(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    noise.save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"got .*cut\.png, a picture that cannot be used"):
        read_picture(tmp_path / "cut.png")


def test_frames_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"frames are float64 \[1, 2, 2, 3\]; wanted uint8"):
        fit_frames(np.zeros((1, 2, 2, 3)), (4, 4))
