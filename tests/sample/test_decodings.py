"""Decoding in parallel finds the tokens that decoding in order finds, and stops when it has them."""

from dataclasses import replace

import pytest
import tiny
import tiny_bundle
import torch

from framecast.model import VideoLM
from framecast.sample import SamplingParams, VideoGenerator, decodings
from framecast.sample.decodings import Found, NextFrame, in_order, in_parallel
from framecast.sample.sampling import Chooser, stream_uniforms

PROMPTS = [(0, "a red circle moves right"), (1, "a ring falls")]
SETTINGS = [
    SamplingParams(temperature=temperature, guidance_scale=scale, **cut)
    for temperature in (0.0, 0.9)
    for scale in (1.0, 2.0, 6.0)
    for cut in ({}, {"top_k": 5}, {"top_p": 0.7})
]
LENGTH = 14  # latent frames; the window of one sink frame and two turns over several times


@pytest.fixture(scope="module", params=[60, 10], ids=["one table", "two factors"])
def generator(request) -> VideoGenerator:
    return tiny_bundle.generator(factorise_above=request.param)


def tokens(generator: VideoGenerator, params: SamplingParams, seed: int) -> torch.Tensor:
    stream = generator.stream(PROMPTS, seed, params)
    for _ in range(LENGTH):
        stream.advance()
    return stream.tokens


@pytest.mark.parametrize("params", SETTINGS)
def test_jacobi_decoding_finds_the_tokens_of_token_decoding(generator, params):
    for seed in range(2):
        in_order = tokens(generator, replace(params, decoding="token"), seed)
        assert torch.equal(tokens(generator, replace(params, decoding="jacobi"), seed), in_order)


@pytest.mark.parametrize("block_length", [1, 3, 6])
@pytest.mark.parametrize("world", tiny.WORLDS)
@torch.inference_mode()
def test_blocks_of_any_length_can_be_found_in_parallel(generator, block_length, world):
    if world != "none":
        generator = tiny_bundle.generator(**tiny.WORLDS[world] | {"action_frames": 4})
    params, done = SamplingParams(temperature=1.0), tiny.raw_actions(6, batch_size=2, frames=4)
    states = [generator.stepper.init_state("a ring falls", 3, params) for _ in range(2)]
    for index in range(6):
        found = []
        for state, how in zip(states, (in_order, in_parallel), strict=True):
            actions = None if world == "none" else generator.lm.encode_actions(done[:, index : index + 1])
            decoding = NextFrame(generator.lm, state.lm, state.prompts, state.previous, block_length, actions)
            found.append(how(decoding, lambda places, at=index: Chooser(params, stream_uniforms(3, at, 6)[None, places])))
            state.previous = found[-1].tokens
        assert torch.equal(found[0].tokens, found[1].tokens)
        assert found[0].forwards == (6 if index == 0 else 6 // block_length) and found[1].forwards <= found[0].forwards


def test_a_search_that_stops_early_is_noticed(generator, monkeypatch):
    """The control: what one forward finds, from a guess, is not the fixed point."""
    params = SamplingParams(temperature=1.0, decoding="jacobi")
    right = tokens(generator, params, 0)

    def once(frame: NextFrame, chooser):
        block = 1 if frame.is_first else frame.block_length
        chosen, last = decodings._choose(frame, frame.previous.clamp(0, 59), slice(0, 6), block, chooser, hold=True)
        frame.lm.finish(frame.state)
        return Found(chosen, 1, last)

    monkeypatch.setattr(decodings, "in_parallel", once)
    assert not torch.equal(tokens(generator, params, 0), right)


def test_a_video_that_stands_still_takes_one_or_two_forwards_a_latent_frame(generator, monkeypatch):
    """Greedy, once the tokens repeat: the guess is right, and one forward says so."""

    def repeat(self, logits):
        return torch.full(logits.shape[1:2], 3)[None].clamp(max=logits.shape[-1] - 1)

    monkeypatch.setattr(Chooser, "__call__", repeat)
    stream = generator.stream("a ring falls", 0, SamplingParams(decoding="jacobi"))
    forwards = [stream.advance().forwards for _ in range(4)]
    assert forwards == [2, 1, 1, 1]


def test_tokens_that_were_held_can_be_taken_back(generator):
    lm: VideoLM = generator.lm
    state, prompts = lm.init_state(1), generator.stepper.encode_prompt("a ring falls", guided=False)
    inputs = torch.tensor([[60, 1, 2, 3, 4, 5]])
    with torch.inference_mode():
        wrong = inputs.clone()
        wrong[:, 2:] = 9
        lm(wrong, prompts, 1, state, hold=True)
        assert state.filled == 6 and int(state.frames[0]) == 0
        lm.rewind(state, 2)
        held = lm(inputs[:, 2:], prompts, 1, state, hold=True).hidden
        lm.finish(state)
        fresh = lm.init_state(1)
        straight = lm(inputs, prompts, 1, fresh).hidden
        assert state.filled == fresh.filled == 0 and int(state.frames[0]) == 1
        torch.testing.assert_close(held, straight[:, 2:], atol=1e-5, rtol=0)
        again = torch.tensor([[7, 7, 7]])
        torch.testing.assert_close(lm(again, prompts, 3, state).hidden, lm(again, prompts, 3, fresh).hidden, atol=1e-5, rtol=0)
