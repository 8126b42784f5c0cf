"""Law 3: the cache changes nothing, however a stream is fed, however long it is, whoever shares its batch."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import tiny
import torch
from laws import assert_same, first_difference
from slow_lm import slow_hidden, visible_frames
from torch import Tensor

from framecast.model import ActionVectors, LMState, PromptMemory, VideoLM, VideoLMConfig, shift_tokens, to_sequence
from framecast.model.cache import CacheShape
from framecast.state import map_tensors

NAN = float("nan")
BLOCKS = pytest.mark.parametrize("block_length", [1, 3, 6])
WORLDS = pytest.mark.parametrize("world", tiny.WORLDS)
WINDOWS = pytest.mark.parametrize(("sink_frames", "context_frames"), [(0, 1), (1, 2), (2, 3)])


@pytest.fixture(autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


def cuts(num_tokens: int, frame_length: int, block_length: int, seed: int) -> Iterator[int]:
    """Chunks at random: they end anywhere in the first latent frame, and where a block ends after it."""
    choose = random.Random(seed)
    ends = [i for i in range(1, num_tokens) if i < frame_length or i % block_length == 0]
    chosen = sorted(choose.sample(ends, choose.randint(1, len(ends))))
    return (stop - start for start, stop in zip([0, *chosen], [*chosen, num_tokens], strict=True))


def feed(
    lm: VideoLM,
    inputs: Tensor,
    prompts: PromptMemory,
    block_length: int,
    chunks: Iterator[int],
    state: LMState,
    actions: ActionVectors | None = None,
) -> Tensor:
    hidden = []
    for part in inputs.split(list(chunks), dim=1):
        own = tiny.during(actions, lm, state, part.shape[1])
        hidden.append(lm(part, prompts, block_length, state, actions=own).hidden)
    return torch.cat(hidden, dim=1)


@BLOCKS
@WINDOWS
@WORLDS
def test_cached_equals_parallel(block_length, sink_frames, context_frames, world):
    """The parallel pass is what training uses; as many frames as it takes."""
    lm = tiny.video_lm(sink_frames=sink_frames, context_frames=context_frames, **tiny.WORLDS[world])
    num_frames = lm.config.max_parallel_frames
    tokens, prompts, actions = tiny.tokens(lm, num_frames), tiny.prompts(lm), tiny.actions(lm, num_frames)
    inputs = shift_tokens(tokens, block_length, lm.start_id)
    parallel = lm(inputs, prompts, block_length, actions=actions).hidden
    assert_same(parallel, slow_hidden(lm, inputs, prompts, block_length, actions), atol=1e-5, what="the parallel pass")
    for seed in range(4):
        chunks = list(cuts(inputs.shape[1], 6, block_length, seed))
        cached = feed(lm, inputs, prompts, block_length, iter(chunks), lm.init_state(2, fill=NAN), actions)
        assert_same(cached, parallel, atol=1e-5, what=f"the hidden in chunks {chunks}")


@pytest.mark.parametrize("num_kv_heads", [1, 4])
@pytest.mark.parametrize("frame_shape", [(4, 2), (1, 1)])
@pytest.mark.parametrize("looks_back", [True, False])
def test_cached_equals_parallel_for_other_shapes(num_kv_heads, frame_shape, looks_back):
    lm = tiny.video_lm(num_kv_heads=num_kv_heads, frame_shape=frame_shape, **({} if looks_back else tiny.PLAIN))
    tokens, prompts = tiny.tokens(lm, 4, batch_size=3), tiny.prompts(lm, batch_size=3)
    for block_length in {1, frame_shape[1], lm.frame_length}:
        inputs = shift_tokens(tokens, block_length, lm.start_id)
        chunks = cuts(inputs.shape[1], lm.frame_length, block_length, seed=1)
        cached = feed(lm, inputs, prompts, block_length, chunks, lm.init_state(3, fill=NAN))
        assert_same(cached, lm(inputs, prompts, block_length).hidden, atol=1e-5)
        assert_same(cached, slow_hidden(lm, inputs, prompts, block_length), atol=1e-5)


def rolling_case(
    block_length: int, world: str = "none", **window: int
) -> tuple[VideoLM, Tensor, PromptMemory, Tensor, ActionVectors | None]:
    """A stream in which the window turns more than four times, and what it should give."""
    lm = tiny.video_lm(num_layers=2, **window, **tiny.WORLDS[world])
    num_frames = lm.config.sink_frames + 5 * lm.config.context_frames + 2
    inputs, prompts = shift_tokens(tiny.tokens(lm, num_frames), block_length, lm.start_id), tiny.prompts(lm)
    actions = tiny.actions(lm, num_frames)
    return lm, inputs, prompts, slow_hidden(lm, inputs, prompts, block_length, actions), actions


@pytest.mark.parametrize(
    ("block_length", "sink_frames", "context_frames", "world"),
    [
        *((length, *window, "none") for length in (1, 3, 6) for window in ((0, 1), (1, 2), (2, 3))),
        *((length, 1, 2, world) for length in (1, 3, 6) for world in ("add", "film")),
    ],
)
def test_rolled_over_cache_equals_explicit_masks_and_positions(block_length, sink_frames, context_frames, world):
    window = {"sink_frames": sink_frames, "context_frames": context_frames}
    lm, inputs, prompts, expected, actions = rolling_case(block_length, world, **window)
    by_block = [1] * 6 + [block_length] * ((inputs.shape[1] - 6) // block_length)
    at_random = list(cuts(inputs.shape[1], 6, block_length, seed=2))
    for chunks in ([inputs.shape[1]], by_block, at_random):
        cached = feed(lm, inputs, prompts, block_length, iter(chunks), lm.init_state(2, fill=NAN), actions)
        assert_same(cached, expected, atol=1e-5, what=f"the hidden in chunks {chunks}")
    assert_same(lm(inputs, prompts, block_length, actions=actions).hidden, expected, atol=1e-5, what="the pass without a state")


def off_by_one(self: CacheShape, frame: int) -> int:
    return CACHE_SLOT(self, frame + 1 if frame >= self.past_frames else frame)


def keep_the_oldest(self: CacheShape, frame: int) -> int:
    return min(frame, self.past_frames - 1)


def without_sink(self: CacheShape, frame: int) -> int:
    return frame % self.past_frames


def sink_stays(self: CacheShape, frame: int) -> int:
    return 0


def sink_is_late(self: CacheShape, frame: int) -> int:
    return max(0, frame - self.past_frames - 1)


CACHE_SLOT = CacheShape.slot


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("slot", off_by_one),
        ("slot", keep_the_oldest),
        ("slot", without_sink),
        ("sink_shift", sink_stays),
        ("sink_shift", sink_is_late),
    ],
)
def test_control_a_broken_ring_is_caught(monkeypatch, name, broken):
    lm, inputs, prompts, expected, _ = rolling_case(6, sink_frames=1, context_frames=2)
    monkeypatch.setattr(CacheShape, name, broken)
    cached = feed(lm, inputs, prompts, 6, iter([inputs.shape[1]]), lm.init_state(2, fill=NAN))
    rolled = 6 * (lm.config.sink_frames + lm.config.context_frames + 1)
    assert first_difference(cached, expected, atol=1e-3) == rolled  # right as long as nothing is overwritten


@pytest.mark.parametrize("change", [-1, 1])
def test_control_a_window_of_another_size_is_caught(monkeypatch, change):
    lm, inputs, prompts, expected, _ = rolling_case(6, sink_frames=1, context_frames=2)
    shape = replace(lm.config.cache_shape, context_frames=2 + change)
    monkeypatch.setattr(VideoLMConfig, "cache_shape", shape)
    cached = feed(lm, inputs, prompts, 6, iter([inputs.shape[1]]), lm.init_state(2, fill=NAN))
    assert first_difference(cached, expected, atol=1e-3) in (18, 24)


@WINDOWS
def test_kept_frames_are_the_sink_and_the_latest(sink_frames, context_frames):
    shape, kept = CacheShape((2, 3), sink_frames, context_frames), {}
    for frame in range(50):
        visible = visible_frames(frame, sink_frames, context_frames)
        assert sorted(kept.values()) == sorted(past for past, _ in visible)
        for past, time in visible:
            assert time == (past + shape.sink_shift(frame) if past < sink_frames else past)
        kept[shape.slot(frame)] = frame


def greedy(lm: VideoLM, prompts: PromptMemory, wishes: Tensor, block_length: int) -> Tensor:
    """The likeliest tokens `[B, S]` of a stream, block after block through the cache; logits plus `wishes` `[S, V]`."""
    batch, frame = prompts.keys.shape[0], lm.frame_length
    state = lm.init_state(batch, fill=NAN)
    sequence = torch.full((batch, 1), lm.start_id)
    while (start := sequence.shape[1] - 1) < wishes.shape[0]:
        length = 1 if start < frame else block_length
        hidden = lm(sequence[:, -length:], prompts, block_length, state).hidden
        logits = lm.vocabulary.logits(hidden) + wishes[start : start + length]
        sequence = torch.cat([sequence, logits.argmax(dim=-1)], dim=1)
    return sequence[:, 1:]


@pytest.mark.parametrize(("block_length", "num_frames"), [(1, 128), (2, 40), (4, 40)])
def test_greedy_tokens_equal_those_without_a_cache(block_length, num_frames):
    """512 steps in the first case. Each token must be the likeliest one given those before it: then slow decoding agrees.

    Random wishes keep the stream from falling asleep at one token for ever.
    """
    lm = tiny.video_lm(num_layers=2, frame_shape=(2, 2), codebook_size=40, sink_frames=1, context_frames=8)
    prompts = tiny.prompts(lm)
    wishes = torch.randn(num_frames * 4, 40, generator=tiny.rng())
    tokens = greedy(lm, prompts, wishes, block_length)
    inputs = shift_tokens(tokens.unflatten(1, (-1, 2, 2)), block_length, lm.start_id)
    logits = lm.vocabulary.logits(slow_hidden(lm, inputs, prompts, block_length)) + wishes
    assert_same(logits.argmax(dim=-1), tokens)
    assert num_frames > 4 * lm.config.context_frames and tokens[:, -40:].unique().numel() > 4
    assert not torch.equal(tokens[0], tokens[1])


def merge(states: list[Any]) -> Any:
    """One batch out of states of streams that ran apart, or out of their actions."""
    tensors: list[list[Tensor]] = [[] for _ in states]
    for found, state in zip(tensors, states, strict=True):
        map_tensors(lambda x, found=found: found.append(x) or x, state)
    joined = iter([torch.cat(parts) for parts in zip(*tensors, strict=True)])
    return map_tensors(lambda _: next(joined), states[0])


@BLOCKS
@pytest.mark.parametrize(("timeline", "world"), [(False, "none"), (True, "none"), (True, "add"), (False, "film")])
def test_streams_of_mixed_ages_equal_each_alone(block_length, timeline, world):
    """Fresh, inside the sink, growing, and rolled over, in one batch."""
    ages, more = [0, 1, 3, 9, 14], 4
    lm = tiny.video_lm(num_layers=2, sink_frames=2, context_frames=3, **tiny.WORLDS[world])
    inputs = shift_tokens(tiny.tokens(lm, max(ages) + more, batch_size=5), block_length, lm.start_id)
    prompts = tiny.prompts(lm, batch_size=5)
    if timeline:
        ids = torch.randint(11, (5, 3, 4), generator=tiny.rng())
        starts = torch.tensor([[0, 2 + row, 8 + row] for row in range(5)])
        prompts = lm.encode_prompts(ids, torch.ones_like(ids, dtype=torch.bool), starts, num_frames=20)
    actions = tiny.actions(lm, max(ages) + more, batch_size=5)
    states, expected, rest, done = [], [], [], []
    for row, age in enumerate(ages):
        state, alone, acts = lm.init_state(1), prompts.select([row]), actions and actions.select([row])
        if age:
            lm(inputs[row : row + 1, : age * 6], alone, block_length, state, actions=acts and acts.frames(slice(age)))
        states.append(state.clone())
        rest.append(inputs[row : row + 1, age * 6 : (age + more) * 6])
        done.append(acts and acts.frames(slice(age, age + more)))
        expected.append(lm(rest[-1], alone, block_length, state, actions=done[-1]).hidden)
    together, later = merge(states), merge(done)
    assert together.frames.tolist() == ages
    chunks = [block_length] * (more * 6 // block_length)
    for parts in ([more * 6], chunks):
        result = feed(lm, torch.cat(rest), prompts, block_length, iter(parts), together.clone(), later)
        assert_same(result, torch.cat(expected), atol=1e-5, what=f"the batch in chunks {parts}")


def test_streams_of_mixed_ages_inside_a_frame():
    """Merged with some tokens of a latent frame already made."""
    lm = tiny.video_lm(num_layers=2)
    inputs, prompts = shift_tokens(tiny.tokens(lm, 9), 3, lm.start_id), tiny.prompts(lm)
    states, expected = [], []
    for row, age in enumerate([2, 7]):
        state, alone = lm.init_state(1), prompts.select([row])
        lm(inputs[row : row + 1, : age * 6 + 3], alone, 3, state)
        states.append(state.clone())
        expected.append(lm(inputs[row : row + 1, age * 6 + 3 : age * 6 + 12], alone, 3, state).hidden)
    rest = torch.cat([inputs[:1, 15:24], inputs[1:, 45:54]])
    assert_same(lm(rest, prompts, 3, merge(states)).hidden, torch.cat(expected), atol=1e-5)


def test_streams_can_be_copied_reordered_and_dropped():
    lm = tiny.video_lm(num_layers=2)
    inputs, prompts = shift_tokens(tiny.tokens(lm, 9, batch_size=3), 6, lm.start_id), tiny.prompts(lm, batch_size=3)
    state = lm.init_state(3, fill=NAN)
    lm(inputs[:, :36], prompts, 6, state)
    rows = [2, 0, 2]
    branch = state.select(rows)
    expected = lm(inputs[:, 36:], prompts, 6, state).hidden
    assert_same(lm(inputs[rows, 36:], prompts.select(rows), 6, branch).hidden, expected[rows], atol=1e-5)
    twice = lm.init_state(1).expand(2)
    assert_same(lm(inputs[:2], prompts.select([0, 1]), 6, twice).hidden, lm(inputs[:2], prompts.select([0, 1]), 6).hidden)


def test_a_new_prompt_in_mid_stream_equals_the_timeline_of_training():
    lm = tiny.video_lm()
    inputs = shift_tokens(tiny.tokens(lm, 8), 3, lm.start_id)
    ids = torch.randint(11, (2, 2, 4), generator=tiny.rng())
    real = torch.ones_like(ids, dtype=torch.bool)
    timeline = lm.encode_prompts(ids, real, torch.tensor([[0, 5], [0, 5]]), num_frames=8)
    first, second = (lm.encode_prompts(ids[:, i : i + 1], real[:, i : i + 1]) for i in range(2))
    state = lm.init_state(2)
    steered = torch.cat([lm(inputs[:, :30], first, 3, state).hidden, lm(inputs[:, 30:], second, 3, state).hidden], dim=1)
    assert_same(steered, slow_hidden(lm, inputs, timeline, 3), atol=1e-5)


def test_a_stream_never_grows():
    lm = tiny.video_lm(num_layers=2)
    prompts, state = tiny.prompts(lm), lm.init_state(2)
    sizes = lambda: [(x.shape, x.data_ptr()) for cache in state.layers for x in (cache.keys, cache.values)]  # noqa: E731
    before = sizes()
    assert before[0][0] == (2, 2, 6 * (1 + 1 + 2), 8)
    lm(to_sequence(tiny.tokens(lm, 40)), prompts, 6, state)
    assert sizes() == before and state.frames.tolist() == [40, 40] and state.filled == 0


def test_a_refused_chunk_leaves_the_state_as_it_was():
    lm = tiny.video_lm(num_layers=1)
    inputs, prompts, state = shift_tokens(tiny.tokens(lm, 2), 3, lm.start_id), tiny.prompts(lm), lm.init_state(2)
    lm(inputs[:, :9], prompts, 3, state)
    with pytest.raises(ValueError, match="got 2 tokens after 3 of a latent frame; wanted whole blocks of 3"):
        lm(inputs[:, 9:11], prompts, 3, state)
    with pytest.raises(ValueError, match="got 8 tokens after 0 of a latent frame; wanted whole blocks of 3"):
        lm(inputs[:, :8], prompts, 3)
    assert_same(lm(inputs[:, 9:], prompts, 3, state).hidden, lm(inputs, prompts, 3).hidden[:, 9:], atol=1e-5)
