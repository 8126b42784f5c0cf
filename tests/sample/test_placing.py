"""Generators elsewhere and in other precisions, by name."""

import pytest
import tiny_bundle
import torch

from framecast.sample import VideoGenerator, load_bundle, load_generator
from framecast.sample.placing import as_device, as_dtype

PROMPT = "a red circle moves right"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle.save(tmp_path_factory.mktemp("place") / "bundle")


@pytest.mark.parametrize("dtype", ["bfloat16", "bf16", "torch.bfloat16", torch.bfloat16])
def test_a_dtype_may_be_a_name(bundle, dtype):
    generator = load_generator(bundle, dtype=dtype)
    assert generator.dtype == torch.bfloat16 and generator.tokenizer.decoder is not None
    expected = load_generator(bundle, "cpu", torch.bfloat16).generate(PROMPT, 9).tokens
    assert torch.equal(generator.generate(PROMPT, 9).tokens, expected)


@pytest.mark.parametrize("place", [("bfloat16",), (torch.bfloat16,), ("cpu", "bfloat16"), ("bfloat16", torch.device("cpu"))])
def test_a_generator_goes_to_another_precision_and_stays_as_it_is(bundle, place):
    generator = load_generator(bundle)
    before = generator.generate(PROMPT, 9).tokens
    moved = generator.to(*place)
    assert isinstance(moved, VideoGenerator) and moved.dtype == torch.bfloat16 and generator.dtype == torch.float32
    assert (moved.name, moved.fps, moved.codec.trained_on) == (generator.name, generator.fps, "SpriteWorld")
    assert next(moved.tokenizer.parameters()).data_ptr() == next(generator.tokenizer.parameters()).data_ptr()
    expected = load_generator(bundle, dtype="bfloat16").generate(PROMPT, 9).tokens
    assert torch.equal(moved.generate(PROMPT, 9).tokens, expected)
    assert torch.equal(generator.generate(PROMPT, 9).tokens, before)


def test_where_it_is_already_it_stays(bundle):
    generator = load_generator(bundle)
    assert generator.to("cpu") is generator.to(torch.float32) is generator.to(device="cpu", dtype="float32") is generator


def test_a_bundle_is_saved_in_a_dtype_by_name(tmp_path):
    tiny_bundle.save(tmp_path / "a", dtype="bfloat16")
    tiny_bundle.save(tmp_path / "b", dtype=torch.bfloat16)
    assert load_bundle(tmp_path / "a").hashes["lm.safetensors"] == load_bundle(tmp_path / "b").hashes["lm.safetensors"]


@pytest.mark.parametrize("dtype", ["float8", "int8", "big", 3, None, torch.int64, "float8_e4m3fn", "nn"])
def test_what_is_no_precision_is_refused(bundle, dtype):
    with pytest.raises(ValueError, match=r"got dtype .*; wanted float32, bfloat16 or float16"):
        as_dtype(dtype)
    with pytest.raises(ValueError, match="got dtype"):
        load_generator(bundle, dtype=dtype)


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "", 1.5, None, torch.float32])
def test_a_device_that_is_not_here_is_refused(bundle, device):
    with pytest.raises(ValueError, match=r"got device .*; wanted one that is here: cpu"):
        as_device(device)
    with pytest.raises(ValueError, match="got device"):
        load_generator(bundle, device=device)


@pytest.mark.parametrize(
    ("place", "named", "message"),
    [
        ((), {}, "got nothing to go to; wanted a device, a dtype or both"),
        (("cpu", "cpu"), {}, "got two values for device, cpu and cpu; wanted one"),
        (("bfloat16",), {"dtype": "float32"}, "got two values for dtype"),
        ((None,), {}, "got None to go to; wanted a device or a dtype"),
        (("abacus",), {}, "got device 'abacus'; wanted one that is here"),
        ((torch.int64,), {}, r"got dtype torch\.int64; wanted float32"),
    ],
)
def test_what_is_no_place_is_refused(place, named, message):
    with pytest.raises(ValueError, match=message):
        tiny_bundle.generator().to(*place, **named)
