"""Copies of a generator make the same video to the last bit, and numbers of every kind are plain ones in what is written."""

import copy
import json
import pickle

import numpy as np
import pytest
import tiny_bundle
import torch

from framecast.sample import SamplingParams, VideoGenerator, load_generator, read_tokens
from framecast.sample.codec import VideoCodec
from framecast.sample.kernels import PreparedConv2d, PreparedLinear
from framecast.sample.packing import pack, unpack

PROMPT = "a red circle moves right"
COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda generator: pickle.loads(pickle.dumps(generator))}


@pytest.fixture(scope="module")
def default() -> VideoGenerator:
    return load_generator()


def prepared(generator: VideoGenerator) -> list[bool]:
    """Of each layer that can have its weight in the kernels' order, whether it has."""
    layers = [*generator.tokenizer.modules(), *generator.lm.modules()]
    return [layer._copy is not None for layer in layers if isinstance(layer, PreparedLinear | PreparedConv2d)]


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_a_copy_makes_the_same_video(default, make):
    again = make(default)
    assert prepared(again) == prepared(default) and len(prepared(again)) > 20
    expected, made = default.generate(PROMPT, 9, 1), again.generate(PROMPT, 9, 1)
    assert torch.equal(made.tokens, expected.tokens) and torch.equal(made.frames, expected.frames)
    assert again.lm.places.weight.data_ptr() != default.lm.places.weight.data_ptr() and again.hashes == default.hashes


def test_a_copy_of_a_network_has_kernels_of_its_own(default):
    tokenizer = copy.deepcopy(default.tokenizer)
    kinds = [layer for layer in tokenizer.modules() if isinstance(layer, PreparedConv2d)]
    there = {layer._copy.address for layer in default.tokenizer.modules() if isinstance(layer, PreparedConv2d) if layer._copy}
    assert kinds and all(layer._copy is None or layer._copy.address not in there for layer in kinds)


NUMBERS = [int, np.int64, np.int32, np.uint8, torch.tensor]


@pytest.mark.parametrize("number", NUMBERS)
def test_whole_numbers_of_any_kind_are_seeds_and_lengths(tmp_path, number):
    generator = tiny_bundle.generator()
    params = SamplingParams(temperature=np.float32(0.5), top_k=number(3), top_p=np.float64(0.5), guidance_scale=number(2))
    stream = generator.stream(PROMPT, number(7), params)
    stream.record(tmp_path / "out.fct")
    next(stream)
    assert json.loads(json.dumps(stream.params.top_k)) == 3 and type(stream.seed) is int
    assert next(generator.restore(stream.snapshot())).index == 1
    stream.close()
    assert read_tokens(tmp_path / "out.fct").header.seed == 7
    clip = generator.generate(PROMPT, number(5), number(7))
    assert torch.equal(clip.tokens, generator.generate(PROMPT, 5, 7).tokens) and type(clip.seed) is int
    assert [branch.seed for branch in stream.branch([number(4)])] == [4]


@pytest.mark.parametrize("seed", [1.0, True, "1", None, -1, 2**63, np.float32(1)])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match=r"got seed .*; wanted a whole number from 0 to 2\^63 - 1"):
        tiny_bundle.generator().generate(PROMPT, 5, seed)


@pytest.mark.parametrize("num_frames", [5.0, True, "5", None, np.float64(5)])
def test_what_is_no_length_is_refused(num_frames):
    with pytest.raises(ValueError, match="as the number of frames of a video; wanted a whole number"):
        tiny_bundle.generator().generate(PROMPT, num_frames)


def test_a_bundle_is_saved_with_numbers_of_any_kind(tmp_path):
    video = {"height": np.int64(16), "width": torch.tensor(24), "fps": np.float32(12)}
    folder = tiny_bundle.save(tmp_path / "bundle", video=video, training={"loss": np.float64(0.5)})
    assert json.loads((folder / "config.json").read_text())["video"] == tiny_bundle.VIDEO
    parts = (tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer())
    generator = VideoGenerator(*parts, np.int64(16), np.int32(24), np.float32(12))
    assert (type(generator.height), type(generator.fps)) == (int, float)


def test_a_recording_that_fails_leaves_the_older_file(tmp_path, monkeypatch):
    file = tmp_path / "out.fct"
    file.write_bytes(b"older")
    monkeypatch.setattr(VideoCodec, "header", lambda *_: (_ for _ in ()).throw(ValueError("no header")))
    with pytest.raises(ValueError, match="no header"):
        tiny_bundle.generator().stream(PROMPT).record(file)
    monkeypatch.undo()
    monkeypatch.setattr("framecast.sample.token_header.TokenHeader.values", lambda _: {"seed": object()})
    with pytest.raises(TypeError, match="object is no plain value"):
        tiny_bundle.generator().stream(PROMPT).record(file)
    assert file.read_bytes() == b"older"


def test_a_snapshot_of_a_longer_prompt_is_restored():
    """Prompts in upper case had more text ids in older versions."""
    stream = tiny_bundle.generator().stream(PROMPT, 3)
    next(stream)
    tensors, values = unpack(stream.snapshot())
    length = stream.seat.own.prompts.mask.shape[-1]
    kinds = {tuple(t.shape) for t in (stream.seat.own.prompts.keys, stream.seat.own.prompts.mask)}
    for name, tensor in tensors.items():
        if tuple(tensor.shape) in kinds:
            where = tensor.ndim - 2 if tensor.dtype != torch.bool else tensor.ndim - 1
            room = [*tensor.shape]
            room[where] = 4
            tensors[name] = torch.cat([tensor, torch.zeros(room, dtype=tensor.dtype)], dim=where)
    again = tiny_bundle.generator().restore(pack(tensors, {**values, "seed": 3}))
    assert again.seat.own.prompts.mask.shape[-1] == length + 4
    for _ in range(8):
        assert torch.equal(next(again).image, next(stream).image)
