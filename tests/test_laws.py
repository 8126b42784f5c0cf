"""Laws 1 and 2 for every class with a state, and controls that break them."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import tiny
import torch
from laws import assert_causal, assert_same, assert_streams, compositions, first_difference
from torch import Tensor, nn

import framecast.model
import framecast.tokenizer
from framecast.model import VideoLM
from framecast.tokenizer import VideoTokenizer
from framecast.tokenizer.layers import ResidualBlock, Stage, TemporalMix
from framecast.tokenizer.network import Decoder, Encoder


@dataclass(frozen=True)
class Case:
    """How a class streams: `unit` inputs at least at a time, and which outputs come before input t."""

    covers: type[nn.Module]
    step: Callable[[Tensor, Any], Tensor]
    init_state: Callable[[], Any]
    x: Tensor
    other: Tensor
    untouched: Callable[[int], int] = lambda t: t
    unit: int = 1
    dim: int = 1
    out_dim: int = 1


def layer_case(layer: nn.Module) -> Case:
    x, other = torch.randn(2, 2, 4, 2, 3, 8, generator=tiny.rng())
    return Case(type(layer), tiny.randomise(layer), lambda: layer.init_state(2, 2, 3), x, other)


def encoder_case() -> Case:
    encoder = tiny.randomise(Encoder(tiny.TOKENIZER, latent_dim=3))
    x, other = (tiny.video(12, seed=seed).movedim(1, -1) for seed in (0, 1))
    return Case(Encoder, encoder, lambda: encoder.init_state(2, 16, 16), x, other, lambda t: t // 4, unit=4)


def decoder_case() -> Case:
    decoder = tiny.randomise(Decoder(tiny.TOKENIZER, latent_dim=3))
    x, other = torch.randn(2, 2, 3, 2, 2, 3, generator=tiny.rng())
    return Case(Decoder, decoder, lambda: decoder.init_state(2, 2, 2), x, other, lambda t: 4 * t)


def encode_case() -> Case:
    tokenizer = tiny.tokenizer()
    x, other = tiny.video(5), tiny.video(5, seed=1)
    new = lambda: tokenizer.init_encoder_state(2, 16, 16)  # noqa: E731
    return Case(VideoTokenizer, tokenizer.encode, new, x, other, lambda t: (t + 3) // 4, dim=2)


def decode_case() -> Case:
    tokenizer = tiny.tokenizer()
    x, other = torch.randint(tokenizer.codebook_size, (2, 2, 3, 2, 2), generator=tiny.rng())
    new = lambda: tokenizer.init_decoder_state(2, 2, 2)  # noqa: E731
    return Case(VideoTokenizer, tokenizer.decode, new, x, other, lambda t: max(0, 4 * t - 3), out_dim=2)


def lm_case() -> Case:
    lm = tiny.video_lm()
    prompts = tiny.prompts(lm)
    x, other = tiny.tokens(lm, 2).flatten(1), tiny.tokens(lm, 2, seed=1).flatten(1)
    new = lambda: lm.init_state(2, fill=float("nan"))  # noqa: E731
    return Case(VideoLM, lambda inputs, state: lm(inputs, prompts, 1, state).hidden, new, x, other, unit=3)


def world_case(way: str) -> Case:
    """The tokens change, under given actions."""
    lm = tiny.video_lm(**tiny.WORLDS[way])
    prompts, actions = tiny.prompts(lm), tiny.actions(lm, 2)
    x, other = tiny.tokens(lm, 2).flatten(1), tiny.tokens(lm, 2, seed=1).flatten(1)
    new = lambda: lm.init_state(2, fill=float("nan"))  # noqa: E731

    def step(inputs: Tensor, state: Any) -> Tensor:
        return lm(inputs, prompts, 1, state, actions=tiny.during(actions, lm, state, inputs.shape[1])).hidden

    return Case(VideoLM, step, new, x, other, unit=3)


def actions_case(way: str) -> Case:
    """The actions change, under given tokens: six for each latent frame."""
    lm = tiny.video_lm(**tiny.WORLDS[way])
    prompts, inputs = tiny.prompts(lm), tiny.tokens(lm, 4).flatten(1)
    x, other = tiny.raw_actions(4).nan_to_num(), tiny.raw_actions(4, seed=1)
    new = lambda: lm.init_state(2, fill=float("nan"))  # noqa: E731

    def step(actions: Tensor, state: Any) -> Tensor:
        start = 0 if state is None else 6 * int(state.frames[0])
        own = inputs[:, start : start + 6 * actions.shape[1]]
        return lm(own, prompts, 1, state, actions=lm.encode_actions(actions)).hidden

    return Case(VideoLM, step, new, x, other, untouched=lambda t: 6 * t)


CASES = {
    "TemporalMix": layer_case(TemporalMix(8)),
    "TemporalMix, reach 4": layer_case(TemporalMix(8, reach=4)),
    "ResidualBlock of this frame alone": layer_case(ResidualBlock(8, kernel_size=1, reach=0)),
    "ResidualBlock": layer_case(ResidualBlock(8)),
    "Stage": layer_case(Stage(8, num_blocks=2)),
    "Encoder": encoder_case(),
    "Decoder": decoder_case(),
    "VideoTokenizer.encode": encode_case(),
    "VideoTokenizer.decode": decode_case(),
    "VideoLM": lm_case(),
    "VideoLM, actions added": world_case("add"),
    "VideoLM, actions that scale and shift": world_case("film"),
    "what is added of actions": actions_case("add"),
    "what is scaled and shifted by actions": actions_case("film"),
}


def streaming_classes(package: Any) -> set[type]:
    """The modules of a package that make a state."""
    names = [info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    members = [value for name in names for _, value in inspect.getmembers(importlib.import_module(name), inspect.isclass)]
    inside = {value for value in members if value.__module__.startswith(package.__name__)}
    makes_state = lambda value: any(n.startswith("init_") and n.endswith("state") for n in dir(value))  # noqa: E731
    return {value for value in inside if issubclass(value, nn.Module) and makes_state(value)}


def test_every_class_with_a_state_is_in_the_list():
    found = streaming_classes(framecast.tokenizer) | streaming_classes(framecast.model)
    assert found == {case.covers for case in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_streaming_equals_offline(name):
    case = CASES[name]
    for parts in compositions(case.x.shape[case.dim] // case.unit):
        chunks = [part * case.unit for part in parts]
        assert_streams(case.step, case.init_state, case.x, chunks, case.dim, case.out_dim)


@pytest.mark.parametrize("name", CASES)
def test_nothing_leaks_from_the_future(name):
    case = CASES[name]
    whole = lambda x: case.step(x, None)  # noqa: E731
    assert_causal(whole, case.x, case.other, case.untouched, case.dim, case.out_dim)


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_a_step_does_not_change_its_input_or_another_state(name):
    case = CASES[name]
    x, state = case.x.clone(), case.init_state()
    first, rest = x.split([case.unit * 2, x.shape[case.dim] - case.unit * 2], case.dim)
    case.step(first, state)
    branch = state.clone()
    expected = case.step(rest, state)
    assert_same(case.step(rest, branch), expected, case.out_dim, what="the branch")
    assert torch.equal(x, case.x)


class Forgetful(TemporalMix):
    """Zeros where the state should be."""

    def forward(self, x, state=None):
        return super().forward(x, None)


class Stale(TemporalMix):
    """Its state is that of the first chunk for ever."""

    def forward(self, x, state=None):
        return super().forward(x, None if state is None else state.clone())


class Peeking(TemporalMix):
    """Padded on both sides: sees one frame ahead."""

    def forward(self, x, state=None):
        return super().forward(torch.cat([x[:, 1:], torch.zeros_like(x[:, :1])], dim=1), state)


class NormalisedOverTime(TemporalMix):
    """A statistic over the clip."""

    def forward(self, x, state=None):
        y = super().forward(x, state)
        return y / y.square().mean(dim=(1, 4), keepdim=True).sqrt()


@pytest.mark.parametrize("broken", [Forgetful, Stale, Peeking, NormalisedOverTime])
def test_control_a_layer_that_does_not_stream_is_caught(broken):
    case = layer_case(broken(8))
    with pytest.raises(AssertionError, match=r"chunks \(1, 3\) differs first at index \d of dimension 1, by"):
        assert_streams(case.step, case.init_state, case.x, (1, 3))


def act_early(actions: Tensor) -> Tensor:
    """Those of the latent frame after."""
    return torch.cat([actions[:, 1:], actions[:, -1:]], dim=1)


def act_late(actions: Tensor) -> Tensor:
    """Those of the latent frame before; of none, where a chunk begins."""
    return torch.cat([torch.full_like(actions[:, :1], torch.nan), actions[:, :-1]], dim=1)


@pytest.mark.parametrize("way", ["add", "film"])
def test_control_actions_of_another_latent_frame_are_caught(way, monkeypatch):
    case = actions_case(way)
    encode = VideoLM.encode_actions
    monkeypatch.setattr(VideoLM, "encode_actions", lambda lm, actions: encode(lm, act_early(actions)))
    with pytest.raises(AssertionError, match="a change of input 1 reaches output 0"):
        assert_causal(lambda x: case.step(x, None), case.x, case.other, case.untouched)
    monkeypatch.setattr(VideoLM, "encode_actions", lambda lm, actions: encode(lm, act_late(actions)))
    with pytest.raises(AssertionError, match="no change of an input reached the first output"):
        assert_causal(lambda x: case.step(x, None), case.x, case.other, case.untouched)
    with pytest.raises(AssertionError, match=r"chunks \(2, 2\) differs first at index 12"):
        assert_streams(case.step, case.init_state, case.x, (2, 2))


@pytest.mark.parametrize("broken", [Peeking, NormalisedOverTime])
def test_control_a_layer_that_sees_the_future_is_caught(broken):
    case = layer_case(broken(8))
    with pytest.raises(AssertionError, match="a change of input 1 reaches output 0"):
        assert_causal(lambda x: case.step(x, None), case.x, case.other)


def test_control_a_check_of_nothing_is_caught():
    x = torch.zeros(1, 3, 2)
    with pytest.raises(AssertionError, match="no change of an input reached"):
        assert_causal(torch.zeros_like, x, x + 1)


def test_differences_are_found():
    a = torch.zeros(2, 3)
    assert first_difference(a, a) is None
    assert first_difference(a, a + torch.tensor([0.0, 0.0, 1e-7])) == 2
    assert first_difference(a, a + torch.tensor([0.0, 0.0, 1e-7]), atol=1e-6) is None
    assert first_difference(a, a + torch.tensor([0.0, float("nan"), 0.0]), atol=1e9) == 1


def test_compositions():
    assert sorted(compositions(3)) == [(1, 1, 1), (1, 2), (2, 1), (3,)]
    assert len(set(compositions(9))) == 256 and all(sum(parts) == 9 for parts in compositions(9))
