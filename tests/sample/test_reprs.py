"""What a person sees who types a name in a notebook: what it is and its size, in a line, and no tensors."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_bundle
import torch

from framecast.data import VideoData
from framecast.sample import Clip, Frame, load_bundle, read_tokens

PROMPT = "a red circle moves right"


def recorded(place: Path) -> object:
    stream = tiny_bundle.generator().stream(PROMPT)
    stream.record(place / "a.fct")
    next(stream)
    stream.close()
    return read_tokens(place / "a.fct")


SHOWN: dict[str, tuple[Callable[[Path], object], str]] = {
    "clip": (
        lambda _: Clip(tiny_bundle.frames(5), torch.zeros(2, 2, 3), 12.0, PROMPT, 7),
        "Clip('a red circle moves right', 5 frames of 16x24, 12 frames/s, seed 7)",
    ),
    "frame": (
        lambda _: Frame(tiny_bundle.frames(1)[0], 9, 3, PROMPT),
        "Frame(9, 16x24, latent frame 3, 'a red circle moves right')",
    ),
    "stream": (
        lambda _: tiny_bundle.generator().stream(PROMPT, seed=2),
        "Stream('a red circle moves right', seed 2, next frame 0, 12 frames/s)",
    ),
    "video": (lambda _: VideoData(tiny_bundle.frames(5), 12.0), "VideoData(5 frames of 16x24, 12 frames/s)"),
    "damaged video": (
        lambda _: VideoData(tiny_bundle.frames(5), 12.0, "the end is cut off"),
        "VideoData(5 frames of 16x24, 12 frames/s, damaged: the end is cut off)",
    ),
    "tokens": (recorded, "TokenVideo(1 frames of 16x24, 12 frames/s, 1 latent frames, by 'unnamed')"),
}


@pytest.mark.parametrize("kind", SHOWN)
def test_repr_is_one_line(kind, tmp_path):
    make, wanted = SHOWN[kind]
    assert repr(make(tmp_path)) == wanted


def test_a_closed_stream_says_so():
    stream = tiny_bundle.generator().stream(PROMPT)
    stream.close()
    assert repr(stream).endswith("closed, 12 frames/s)")


def test_a_bundle_and_a_generator_say_the_size_of_their_networks(tmp_path):
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    counts = [sum(p.numel() for p in net.parameters()) / 1e6 for net in (bundle.tokenizer, bundle.lm)]
    sizes = f"16x24, 12 frames/s, tokenizer {counts[0]:.2f}M, LM {counts[1]:.2f}M"
    assert repr(bundle) == f"Bundle({str(tmp_path / 'bundle')!r}, {sizes})"
    assert repr(bundle.generator()) == f"VideoGenerator('bundle', {sizes}, on cpu)"
    alone = tiny_bundle.save(tmp_path / "alone", lm=None, text_tokenizer=None)
    assert repr(load_bundle(alone)).endswith("no LM)")
