"""`Stream`: the same as `generate`, for as long as one likes, with a prompt that changes."""

import gc
import weakref
from itertools import islice

import pytest
import tiny_bundle
import torch

from framecast.model import VideoLM
from framecast.sample import SamplingParams, Stream
from framecast.state import map_tensors

PROMPT, OTHER = "a red circle moves right", "a blue square moves up"
PARAMS = SamplingParams(temperature=1.0, guidance_scale=2.0, decoding="row")


def stream(prompt: str = PROMPT, seed: int = 0, **changes) -> Stream:
    return tiny_bundle.generator().stream(prompt, seed, changes.pop("params", PARAMS), **changes)


def state_size(value: Stream) -> int:
    """Bytes of all tensors of a stream's state."""
    sizes: list[int] = []
    map_tensors(lambda x: sizes.append(x.untyped_storage().nbytes()) or x, value.seat.own)
    return sum(sizes)


@pytest.mark.parametrize("block_length", ["token", "row", "frame"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_stream_gives_what_generate_gives(block_length, scale):
    params = SamplingParams(temperature=1.0, guidance_scale=scale, decoding=block_length)
    clip = tiny_bundle.generator().generate(PROMPT, 21, 7, params)
    running = stream(seed=7, params=params)
    frames = list(islice(running, 21))
    assert torch.equal(running.tokens, clip.tokens)
    assert torch.equal(torch.stack([frame.image for frame in frames]), clip.frames)


def test_frames_are_numbered():
    frames = list(islice(stream(), 10))
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.latent_index for frame in frames] == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert {frame.prompt for frame in frames} == {PROMPT}
    assert frames[0].image.shape == (16, 24, 3) and frames[0].image.dtype == torch.uint8


def test_nothing_is_made_before_it_is_asked_for():
    running = stream()
    assert running.tokens is None and iter(running) is running
    next(running)
    assert running.tokens.shape == (1, 2, 3)
    next(running)
    assert running.tokens.shape == (2, 2, 3)


def test_streams_do_not_disturb_each_other():
    alone = [frame.image for frame in islice(stream(seed=1), 13)]
    one, other = stream(seed=1), stream(OTHER, seed=2)
    beside = []
    for _ in range(13):
        beside.append(next(one).image)
        next(other)
    assert torch.equal(torch.stack(alone), torch.stack(beside))


def test_a_stream_goes_on_from_given_frames():
    given = tiny_bundle.frames(9)
    running = stream(first_frames=given)
    assert running.tokens.shape == (3, 2, 3)
    frames = list(islice(running, 8))
    assert [frame.index for frame in frames] == list(range(9, 17))
    assert [frame.latent_index for frame in frames] == [3] * 4 + [4] * 4
    clip = tiny_bundle.generator().generate(PROMPT, 17, 0, PARAMS, given)
    assert torch.equal(torch.stack([frame.image for frame in frames]), clip.frames[9:])
    assert torch.equal(running.tokens, clip.tokens)


@pytest.mark.parametrize(("shown", "holds_from"), [(0, 0), (1, 1), (2, 5), (5, 5), (6, 9), (9, 9)])
def test_a_new_prompt_holds_from_the_frame_that_is_returned(shown, holds_from):
    plain, changed = stream(seed=1), stream(seed=1)  # with seed 0 both prompts happen to choose a latent frame's tokens alike
    frames = list(islice(changed, shown))
    assert changed.set_prompt(OTHER) == holds_from
    frames += islice(changed, 17 - shown)
    assert [frame.prompt for frame in frames] == [PROMPT] * holds_from + [OTHER] * (17 - holds_from)
    unchanged = list(islice(plain, 17))
    same = [torch.equal(a.image, b.image) for a, b in zip(frames, unchanged, strict=True)]
    assert all(same[:holds_from]) and not any(same[holds_from:])
    first = (holds_from + 3) // 4
    assert torch.equal(changed.tokens[:first], plain.tokens[:first])
    assert not torch.equal(changed.tokens[first], plain.tokens[first])


def test_a_new_prompt_after_given_frames():
    running = stream(first_frames=tiny_bundle.frames(5))
    assert running.set_prompt(OTHER) == 5
    next(running)
    assert running.set_prompt(PROMPT) == 9


def test_the_same_prompt_again_changes_nothing():
    running = stream()
    frames = list(islice(running, 5))
    running.set_prompt(PROMPT)
    frames += islice(running, 8)
    assert torch.equal(torch.stack([f.image for f in frames]), torch.stack([f.image for f in islice(stream(), 13)]))


@pytest.mark.parametrize("prompt", ["", "a red circle moves right " * 20])
def test_a_bad_new_prompt_is_refused_and_the_old_one_stays(prompt):
    running = stream()
    frames = list(islice(running, 5))
    with pytest.raises(ValueError, match=r"got an? (empty )?prompt"):
        running.set_prompt(prompt)
    frames += islice(running, 8)
    assert {frame.prompt for frame in frames} == {PROMPT}
    assert torch.equal(torch.stack([f.image for f in frames]), torch.stack([f.image for f in islice(stream(), 13)]))


def test_a_prompt_is_encoded_once(monkeypatch):
    calls, encode = [], VideoLM.encode_prompts
    monkeypatch.setattr(VideoLM, "encode_prompts", lambda self, *args: calls.append(args) or encode(self, *args))
    running = stream()
    list(islice(running, 21))
    assert len(calls) == 1
    running.set_prompt(OTHER)
    list(islice(running, 8))
    assert len(calls) == 2


def test_a_closed_stream_ends():
    running = stream()
    list(islice(running, 3))  # two more frames are ready
    running.close()
    assert list(running) == []
    with pytest.raises(StopIteration):
        next(running)
    assert running.tokens.shape == (2, 2, 3)


def test_a_stream_runs_through_many_windows_with_constant_memory():
    """Two latent frames of context and a sink: after forty, the window has turned over many times."""
    running = stream()
    sizes, images = [], []
    for _ in range(40):
        images += [running.advance().frames]
        sizes.append(state_size(running))
    assert len(set(sizes[1:])) == 1
    state = map_tensors(lambda x: x.isfinite().all() if x.is_floating_point() else x, running.seat.own)
    assert all(layer.keys and layer.values for layer in state.lm.layers)
    assert running.tokens.min() >= 0 and running.tokens.max() < 60
    late = torch.cat(images[20:]).float()
    assert late.diff(dim=0).abs().amax(dim=(1, 2, 3)).min() > 0  # still moving
    assert len(running.tokens[20:].unique()) > 20


def test_control_a_state_that_grows_is_seen():
    running = stream()
    running.advance()
    before = state_size(running)
    running.seat.own.previous = torch.cat([running.seat.own.previous] * 3)
    assert state_size(running) > before


@pytest.mark.parametrize("use", [lambda stream: next(stream), lambda stream: stream.branch([1]), lambda stream: stream.close()])
def test_a_stream_that_is_dropped_is_freed_at_once(use):
    """Its cache is large, and may lie on a GPU: it must not wait for the collector of circles."""
    gc.disable()
    try:
        stream = tiny_bundle.generator().stream(PROMPT)
        use(stream)
        gone = weakref.ref(stream)
        del stream
        assert gone() is None
    finally:
        gc.enable()
