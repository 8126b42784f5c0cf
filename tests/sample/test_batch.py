"""`StreamBatch`: a stream's tokens are the same alone and in any company (law 4; R13 of the reliability targets)."""

from dataclasses import replace
from itertools import islice

import pytest
import tiny_bundle
import torch

from framecast.sample import SamplingParams, Stream, StreamBatch

PARAMS = SamplingParams(temperature=1.0, guidance_scale=2.0, decoding="row")
SETTINGS = [
    ("a red circle moves right", 1, PARAMS),
    ("a blue square moves up", 2, replace(PARAMS, temperature=0.7, top_k=9)),
    ("a ring falls", 3, replace(PARAMS, guidance_scale=1.0, top_p=0.8)),
    ([(0, "a red circle moves right"), (1, "a ring falls")], 4, replace(PARAMS, guidance_scale=5.0)),
    ("a blue square moves up", 5, replace(PARAMS, decoding="frame")),
    ("a ring falls", 6, replace(PARAMS, decoding="token", temperature=0.0)),
    ("a blue square moves up", 7, replace(PARAMS, decoding="jacobi")),
    ("a ring falls", 8, replace(PARAMS, decoding="jacobi", temperature=0.6, top_k=7)),
]
LENGTH = 16  # latent frames; the window of one sink frame and two turns over several times


def stream(which: int) -> Stream:
    prompt, seed, params = SETTINGS[which]
    return tiny_bundle.generator().stream(prompt, seed, params)


@pytest.fixture(scope="module")
def alone() -> list[torch.Tensor]:
    """The tokens of each stream by itself."""
    streams = [stream(which) for which in range(len(SETTINGS))]
    for one in streams:
        for _ in range(LENGTH):
            one.advance()
    return [one.tokens for one in streams]


def assert_same(streams: list[Stream], alone: list[torch.Tensor], which: list[int]) -> None:
    for one, index in zip(streams, which, strict=True):
        length = min(len(one.tokens), LENGTH)
        assert length > 1 and torch.equal(one.tokens[:length], alone[index][:length]), f"stream {index}"


@pytest.mark.parametrize("which", [[0], [0, 1], [0, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3, 4, 5], [5, 0, 4], [6, 0], [7, 6]])
def test_tokens_are_the_same_in_any_company_and_slot(alone, which):
    batch = StreamBatch(tiny_bundle.generator(), slots=6)
    streams = [stream(index) for index in which]
    for one in streams:
        batch.join(one)
    for _ in range(LENGTH):
        batch.step()
    assert_same(streams, alone, which)


@pytest.mark.parametrize("which", [[0, 1], [2, 0, 1], [7, 3, 0, 6, 5, 4]])
def test_streams_that_join_together_begin_together(alone, which):
    batch = StreamBatch(tiny_bundle.generator(), slots=6)
    streams = [stream(index) for index in which]
    batch.join(*streams)
    assert [len(one.tokens) for one in streams] == [1] * len(which)
    for _ in range(LENGTH - 1):
        batch.step()
    assert_same(streams, alone, which)


@pytest.mark.parametrize("slots", [2, 4, 8])
def test_streams_join_and_leave_in_the_middle(alone, slots):
    batch = StreamBatch(tiny_bundle.generator(), slots=slots)
    first, second, third = (stream(index) for index in (0, 1, 2))
    batch.join(first)
    for _ in range(3):
        batch.step()
    batch.join(second)
    for _ in range(4):
        batch.step()
    batch.leave(second)
    batch.join(third)
    for _ in range(3):
        batch.step()
        second.advance()  # goes on alone
    batch.leave(first)
    batch.join(second)  # into another slot, beside another stream
    for _ in range(4):
        batch.step()
        first.advance()
    assert_same([first, second, third], alone, [0, 1, 2])


def test_the_frames_are_those_of_the_stream_alone():
    batch = StreamBatch(tiny_bundle.generator(), slots=3)
    streams = [stream(0), stream(3)]
    for one in streams:
        batch.join(one)
    frames = [list(islice(one, 30)) for one in streams]
    for index, its_frames in zip((0, 3), frames, strict=True):
        expected = list(islice(stream(index), 30))
        assert [(f.index, f.latent_index, f.prompt) for f in its_frames] == [
            (f.index, f.latent_index, f.prompt) for f in expected
        ]
        pairs = zip(its_frames, expected, strict=True)
        assert max(int((a.image.int() - b.image.int()).abs().max()) for a, b in pairs) <= 1  # rounded at the last bit


def test_a_prompt_changes_in_a_batch_as_it_does_alone():
    batch = StreamBatch(tiny_bundle.generator(), slots=2)
    inside, outside, other = stream(0), stream(0), stream(1)
    batch.join(inside), batch.join(other), outside.advance()
    for _ in range(4):
        batch.step(), outside.advance()
    assert inside.set_prompt("a ring falls") == outside.set_prompt("a ring falls") == 17
    inside.params = outside.params = replace(PARAMS, temperature=0.4)
    for _ in range(6):
        batch.step(), outside.advance()
    assert torch.equal(inside.tokens, outside.tokens) and inside.prompts == outside.prompts


def test_a_stream_can_be_saved_and_branched_inside_a_batch(alone):
    batch = StreamBatch(tiny_bundle.generator(), slots=3)
    one, other = stream(0), stream(2)
    batch.join(one), batch.join(other)
    for _ in range(6):
        batch.step()
    saved = tiny_bundle.generator().restore(one.snapshot())
    (branch,) = other.branch([3])
    batch.join(branch)
    for _ in range(5):
        batch.step()
        saved.advance()
    assert_same([one, saved, other, branch], alone, [0, 0, 2, 2])


def test_a_sink_is_renewed_in_a_batch_as_it_is_alone(alone):
    batch = StreamBatch(tiny_bundle.generator(), slots=3)
    inside, outside = (tiny_bundle.generator().stream(SETTINGS[0][0], 1, PARAMS, reanchor_every=3) for _ in range(2))
    other = stream(1)
    batch.join(other), batch.join(inside), outside.advance()
    for _ in range(LENGTH):
        batch.step(), outside.advance()
    assert torch.equal(inside.tokens, outside.tokens)
    assert not torch.equal(inside.tokens[:LENGTH], alone[0])  # and it matters
    assert_same([other], alone, [1])


def test_a_batch_without_guidance_costs_one_row_a_slot(alone):
    batch = StreamBatch(tiny_bundle.generator(), slots=2, guided=False)
    one = stream(2)
    batch.join(one)
    for _ in range(5):
        batch.step()
    assert_same([one], alone, [2])
    with pytest.raises(ValueError, match="got a stream with guidance for a batch without"):
        batch.join(stream(0))


def test_closing_a_stream_frees_its_slot():
    batch = StreamBatch(tiny_bundle.generator(), slots=1)
    one = stream(0)
    batch.join(one)
    assert batch.free == 0 and batch.streams == [one]
    one.close()
    assert batch.free == 1 and batch.streams == [] and batch.step() == {}
    assert list(one) == []


def test_a_batch_refuses_what_it_cannot_hold():
    generator = tiny_bundle.generator()
    with pytest.raises(ValueError, match="got 0 slots; wanted at least 1"):
        StreamBatch(generator, slots=0)
    batch = StreamBatch(generator, slots=1)
    one = stream(0)
    batch.join(one)
    with pytest.raises(ValueError, match="got 1 more streams than the 0 free of 1 slots"):
        batch.join(stream(1))
    with pytest.raises(ValueError, match="in a batch already"):
        StreamBatch(generator, slots=2).join(one)
    with pytest.raises(ValueError, match="got a stream of a batch to advance alone"):
        one.advance()
    with pytest.raises(ValueError, match="of another generator"):
        StreamBatch(tiny_bundle.generator(width=32), slots=1).join(stream(1))


@pytest.mark.parametrize("threads", [1, 2])
def test_neither_threads_nor_a_stream_that_was_given_up_matter(alone, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        batch = StreamBatch(tiny_bundle.generator(), slots=4)
        streams = [stream(0), stream(1), stream(2)]
        for one in streams:
            batch.join(one)
        batch.step()
        streams[1].close()
        for _ in range(LENGTH):
            batch.step()
    finally:
        torch.set_num_threads(before)
    assert_same([streams[0], streams[2]], alone, [0, 2])


def test_control_a_stream_with_a_neighbour_s_noise_is_seen(alone):
    batch = StreamBatch(tiny_bundle.generator(), slots=2)
    one, other = stream(0), stream(1)
    batch.join(one), batch.join(other)
    one.seat.own.seed = other.seed
    for _ in range(3):
        batch.step()
    with pytest.raises(AssertionError):
        assert_same([one], alone, [0])


def test_a_stream_is_not_taken_twice():
    batch, one = StreamBatch(tiny_bundle.generator(), slots=2), stream(0)
    with pytest.raises(ValueError, match="got a stream twice; wanted each stream once"):
        batch.join(one, one)
    assert batch.free == 2
