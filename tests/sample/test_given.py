"""Frames to go on from, in every form that people have them."""

import pytest
import tiny_bundle
import torch
from PIL import Image

from framecast.sample.given import as_frames

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
        ("clip.mp4", "got first frames as str; .* read a file with `read_video`"),
        ([["row"]], "got first frames as list"),
    ],
)
def test_what_are_no_frames_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_frames(given)
