"""Frames to go on from, in every form that people have them."""

import numpy as np
import pytest
import tiny_bundle
import torch
from PIL import Image

from framecast.data import VideoData, fit_frames, read_video, write_video
from framecast.sample import Clip
from framecast.sample.given import as_frames, as_tokens

FRAMES = tiny_bundle.frames(5)
PICTURES = [Image.fromarray(frame.numpy()) for frame in FRAMES]


@pytest.mark.parametrize(
    "given",
    [
        FRAMES,
        FRAMES.numpy(),
        FRAMES.numpy()[:, :, ::-1][:, :, ::-1],
        list(FRAMES),
        list(FRAMES.numpy()),
        PICTURES,
        tuple(PICTURES),
    ],
)
def test_every_form_is_the_same_video(given):
    assert torch.equal(as_frames(given), FRAMES)


@pytest.mark.parametrize("given", [FRAMES[0], FRAMES[0].numpy(), PICTURES[0], PICTURES[0].convert("RGBA"), PICTURES[:1]])
def test_one_picture_is_a_video_of_one_frame(given):
    assert torch.equal(as_frames(given), FRAMES[:1])
    generator = tiny_bundle.generator()
    expected = generator.generate("a ring falls", 5, first_frames=FRAMES[:1])
    assert torch.equal(generator.generate("a ring falls", 5, first_frames=given).tokens, expected.tokens)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (FRAMES.float(), r"first frames are torch\.float32 numbers; wanted uint8 from 0 to 255; .*to_frames"),
        (FRAMES.numpy() / 255, r"first frames are numpy\.float64 numbers; wanted uint8"),
        (FRAMES.numpy().astype(bool), r"numpy\.bool"),
        (FRAMES.permute(0, 3, 1, 2), r"shape \[5, 3, 16, 24\]; wanted \[T, H, W, 3\]"),
        (FRAMES[None], r"shape \[1, 5, 16, 24, 3\]"),
        (FRAMES[0, :, :, 0], r"shape \[16, 24\]"),
        ([FRAMES[0], FRAMES[1, :8]], r"shapes \(8, 24, 3\) and \(16, 24, 3\); wanted at least one, and all of one size"),
        ([], "shapes none; wanted at least one"),
        ("nowhere.mp4", r"nowhere\.mp4 does not exist; check the path"),
        (["nowhere.png"], r"got nowhere\.png in a list of frames, which does not exist; wanted pictures"),
        ([__file__], "which is no still picture; wanted pictures; a video is given alone"),
        ({"frames": 3}, "got first frames as dict; .* a video of `read_video`"),
        ([["row"]], "got first frames as list"),
    ],
)
def test_what_are_no_frames_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_frames(given)


@pytest.fixture
def files(tmp_path):
    """A still picture, an animated one and a video of twice the size."""
    large = FRAMES.repeat_interleave(2, 1).repeat_interleave(2, 2)
    Image.fromarray(large[0].numpy()).save(tmp_path / "picture.png")
    write_video(tmp_path / "video.mkv", large, 12.0)
    write_video(tmp_path / "animated.png", large, 12.0)
    return tmp_path


def test_pictures_and_files_are_fitted_to_the_model(files):
    generator = tiny_bundle.generator()
    picture = Image.open(files / "picture.png")
    expected = generator.encode(fit_frames(np.array(picture)[None], (16, 24)))
    for given in (files / "picture.png", str(files / "picture.png"), picture, [picture], [files / "picture.png"]):
        assert torch.equal(generator.encode(given), expected)
    whole = generator.encode(read_video(files / "video.mkv", size=(16, 24)).frames)
    assert torch.equal(generator.encode(files / "video.mkv"), whole)
    assert generator.encode(files / "animated.png").shape == whole.shape
    video = read_video(files / "video.mkv")
    assert torch.equal(generator.encode(video), generator.encode(fit_frames(video.frames, (16, 24))))


def test_a_clip_and_a_part_of_a_video_are_given_as_they_are():
    generator = tiny_bundle.generator()
    clip = generator.generate("a ring falls", 9)
    assert torch.equal(as_frames(clip[-5:], (16, 24), 12.0), clip.frames[-5:])
    assert torch.equal(as_frames(VideoData(FRAMES, 12.0)[:1], (16, 24), 12.0), FRAMES[:1])
    longer = generator.generate("a ring falls", 13, first_frames=clip[-5:])
    assert torch.equal(longer.tokens, generator.generate("a ring falls", 13, first_frames=clip.frames[-5:]).tokens)


def test_of_a_file_the_last_whole_latent_frames_are_taken(tmp_path):
    generator, frames = tiny_bundle.generator(), tiny_bundle.frames(7)
    write_video(tmp_path / "seven.mkv", frames, 12.0)
    clip = generator.generate("a ring falls", 9, first_frames=tmp_path / "seven.mkv")
    assert torch.equal(clip.tokens, generator.generate("a ring falls", 9, first_frames=frames[2:]).tokens)


def test_a_video_of_another_rate_is_refused():
    for video in (VideoData(FRAMES, 30.0), Clip(FRAMES, torch.empty(0, 2, 3), 30.0, "", 0)):
        with pytest.raises(ValueError, match=r"got first frames at 30 frames/s; wanted 12, .* `read_video\(path, fps=12\)`"):
            tiny_bundle.generator().stream("a ring falls", first_frames=video)


@pytest.mark.parametrize("kind", ["array", "int32", "uint16", "list"])
def test_tokens_come_in_every_form(kind):
    generator = tiny_bundle.generator()
    tokens = generator.generate("a ring falls", 9).tokens
    forms = {
        "array": tokens.numpy(),
        "int32": tokens.int(),
        "uint16": tokens.numpy().astype(np.uint16),
        "list": tokens.tolist(),
    }
    stream = generator.stream("a ring falls", first_tokens=forms[kind])
    assert torch.equal(stream.advance().tokens, generator.stream("a ring falls", first_tokens=tokens).advance().tokens)
    assert torch.equal(generator.decode(forms[kind]), generator.decode(tokens))
    clip = generator.generate("a ring falls", 13, first_tokens=forms[kind])
    assert torch.equal(clip.tokens[:3], tokens)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(1, 2, 3), r"got first tokens of torch\.float32; wanted \[T, 2, 3\], whole numbers"),
        (np.zeros((1, 2, 3), bool), r"got first tokens of torch\.bool"),
        (np.zeros((2, 3), int), r"got first tokens of shape \[2, 3\]; wanted \[T, 2, 3\]"),
        (torch.full((1, 2, 3), 60), "got first tokens from 60 to 60; wanted 0 to 59, the codes of this model's tokenizer"),
        (np.full((1, 2, 3), -1), "got first tokens from -1 to -1"),
        ("tokens.fct", "got first tokens as str; wanted"),
        ([[1, 2], [3]], "got first tokens as list; wanted"),
    ],
)
def test_what_are_no_tokens_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        as_tokens(tokens, 60, (2, 3))
