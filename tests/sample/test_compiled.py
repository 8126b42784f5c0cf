"""A compiled video LM gives the tokens of a plain one, and a machine that cannot compile is told what it lacks."""

import copy
import shutil
import sysconfig

import pytest
import tiny_bundle
import torch

from framecast.sample import SamplingParams, StreamBatch, VideoGenerator, load_bundle
from framecast.sample import compiled as compiled_module
from framecast.sample.compiled import check_compiler, compile_lm
from framecast.sample.kernels import PreparedLinear

PROMPT = "a red circle moves right"
GREEDY = {kind: SamplingParams(temperature=0.0, decoding=kind) for kind in ("token", "row", "jacobi")}


def generator(backend: str, monkeypatch) -> VideoGenerator:
    monkeypatch.setattr(compiled_module, "_HOW", {**compiled_module._HOW, "backend": backend})
    parts = (tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer())
    return VideoGenerator(*parts, tiny_bundle.HEIGHT, tiny_bundle.WIDTH, tiny_bundle.FPS, compile=True)


def tokens_of(generator: VideoGenerator, kind: str) -> torch.Tensor:
    """Tokens of eight latent frames, after which the window of the tiny model has rolled on."""
    return generator.generate(PROMPT, 29, params=GREEDY[kind]).tokens


# "inductor" is what users get; "eager" goes the same way but for the machine code.
@pytest.mark.parametrize(
    ("backend", "kinds"), [("eager", ["row"]), pytest.param("inductor", list(GREEDY), marks=pytest.mark.slow)]
)
def test_greedy_tokens_are_those_of_a_plain_generator(backend, kinds, monkeypatch):
    compiled = generator(backend, monkeypatch)
    for kind in kinds:
        assert torch.equal(tokens_of(compiled, kind), tokens_of(tiny_bundle.generator(), kind)), kind
    assert compiled.lm.layers._compiled_call_impl is not None
    assert compiled.hashes == tiny_bundle.generator().hashes


@pytest.mark.slow
def test_streams_of_a_batch_are_compiled_too(monkeypatch):
    compiled = generator("eager", monkeypatch)
    streams = [compiled.stream(PROMPT, seed, GREEDY["row"]) for seed in range(2)]
    batch = StreamBatch(compiled, 2)
    batch.join(*streams)
    batch.step()
    assert all(torch.equal(stream.tokens, tokens_of(tiny_bundle.generator(), "row")[:2]) for stream in streams)


def test_the_compiled_copy_leaves_the_original_alone():
    lm = tiny_bundle.generator().lm
    copy = compile_lm(lm)
    assert lm.layers._compiled_call_impl is None
    assert list(copy.state_dict()) == list(lm.state_dict())
    assert not any(layer._copy for layer in copy.modules() if isinstance(layer, PreparedLinear))


def test_a_missing_compiler_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ValueError, match=r"without the C\+\+ compiler no-such-compiler .*install it, or leave compile out"):
        check_compiler("cpu")
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    with pytest.raises(ValueError, match=r"^got compile and a machine without"):
        bundle.generator(compile=True)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ValueError, match=r"without Python's headers"):
        check_compiler("cpu")


def test_a_copy_of_a_compiled_generator_has_no_kernels_that_the_compiler_does_not_know(monkeypatch):
    plain = tiny_bundle.generator()
    monkeypatch.setattr(compiled_module, "_HOW", {**compiled_module._HOW, "backend": "eager"})
    parts = (plain.tokenizer, plain.lm, plain.text_tokenizer)
    compiled = VideoGenerator(*parts, tiny_bundle.HEIGHT, tiny_bundle.WIDTH, tiny_bundle.FPS, compile=True)
    for generator in (compiled, copy.deepcopy(compiled)):
        assert not any(layer._copy for layer in generator.lm.modules() if isinstance(layer, PreparedLinear))
