"""A stream of a world makes the same tokens alone and in any company (law 4; R13 and W4 of the targets)."""

from dataclasses import replace

import pytest
import tiny_world
import torch

from framecast.sample import SamplingParams, Stream, StreamBatch

PARAMS = SamplingParams(temperature=1.0, guidance_scale=2.0)
PLAIN = replace(PARAMS, guidance_scale=1.0)
SETTINGS = [
    ("a red circle moves right", 1, PARAMS, "left*5 gas=0.5*4"),
    ("a blue square moves up", 2, replace(PARAMS, action_guidance=2.0), "right*3 nothing*2 left+gas*4"),
    ("a ring falls", 3, replace(PLAIN, action_guidance=3.0), "gas=-1*3 unknown*2 right"),
    ([(0, "a red circle moves right"), (0.5, "a ring falls")], 4, PLAIN, None),
    ("a blue square moves up", 5, replace(PARAMS, decoding="frame"), "left"),
    ("a ring falls", 6, replace(PLAIN, decoding="token"), "right*7 left"),
    ("a blue square moves up", 7, replace(PARAMS, decoding="jacobi", action_guidance=2.0), "gas*3 left*6"),
    ("a ring falls", 8, replace(PLAIN, decoding=3), "left*2 right*2 left*2 right*2"),
]
LENGTH = 6  # latent frames; the window of one sink frame and two turns over several times


def stream(which: int, **changes: object) -> Stream:
    prompt, seed, params, actions = SETTINGS[which]
    return tiny_world.generator().stream(prompt, seed, **{"params": params, "actions": actions, **changes})


def batch(slots: int) -> StreamBatch:
    return StreamBatch(tiny_world.generator(), slots, action_guided=True)


@pytest.fixture(scope="module")
def alone() -> list[Stream]:
    """Each stream by itself."""
    streams = [stream(which) for which in range(len(SETTINGS))]
    for one in streams:
        for _ in range(LENGTH):
            one.advance()
    return streams


def assert_same(streams: list[Stream], alone: list[Stream], which: list[int]) -> None:
    for one, index in zip(streams, which, strict=True):
        length = min(len(one.tokens), LENGTH)
        assert length > 1 and torch.equal(one.tokens[:length], alone[index].tokens[:length]), f"stream {index}"
        assert torch.equal(one.actions[:length].nan_to_num(9), alone[index].actions[:length].nan_to_num(9)), f"stream {index}"


@pytest.mark.parametrize(
    ("which", "together"), [([0, 1], False), ([3, 2, 1, 0], True), ([7, 6, 5, 4, 3, 2, 1, 0], True), ([4, 0, 6, 1], False)]
)
def test_tokens_are_the_same_in_any_company_and_slot(alone, which, together):
    side_by_side, streams = batch(8), [stream(index) for index in which]
    if together:
        side_by_side.join(*streams)
    else:
        for one in streams:
            side_by_side.join(one)
    for _ in range(LENGTH - 1):
        side_by_side.step()
    assert_same(streams, alone, which)
    whole = [(one, alone[index]) for one, index in zip(streams, which, strict=True) if len(one.tokens) == LENGTH]
    assert all(one.reward == pytest.approx(own.reward, abs=1e-4) and one.end == pytest.approx(own.end) for one, own in whole)


@pytest.mark.parametrize("slots", [2, 4])
def test_streams_join_leave_are_closed_and_saved_in_the_middle(alone, slots):
    side_by_side = batch(slots)
    first, second, given_up = (stream(index) for index in (0, 1, 2))
    side_by_side.join(first, given_up)
    side_by_side.step()
    given_up.close()
    side_by_side.join(second)
    side_by_side.step()
    again = tiny_world.generator().restore(second.snapshot())
    side_by_side.leave(second)
    for _ in range(3):
        side_by_side.step(), second.advance(), again.advance()
    assert_same([first, second, again], alone, [0, 1, 1])


def test_a_stream_is_played_in_a_batch_as_it_is_alone():
    inside, outside, other = (stream(1, actions=None) for _ in range(3))
    side_by_side = batch(3)
    side_by_side.join(other, inside)
    outside.step()
    for action in ("left", "right+gas", None, {"gas": -0.5}):
        assert inside.act(action) == outside.act(action)
        side_by_side.step(), outside.step()
    inside.set_prompt("a ring falls"), outside.set_prompt("a ring falls")
    inside.step(""), outside.step("")
    assert torch.equal(inside.tokens, outside.tokens) and not torch.equal(inside.tokens, other.tokens)


def test_a_function_of_each_stream_is_asked_before_the_batch_steps():
    asked = {1: [], 2: []}

    def of(number: int):
        return lambda running: asked[number].append(running.num_latent_frames) or ["left", "right"][number - 1]

    streams = [stream(3, actions=of(number)) for number in (1, 2)]
    side_by_side = StreamBatch.of(tiny_world.generator(), streams)
    for _ in range(3):
        side_by_side.step()
    assert asked == {1: [1, 2, 3], 2: [1, 2, 3]}
    assert [one.action.tolist()[:2] for one in streams] == [[1, 0], [0, 1]]


def test_control_a_stream_under_a_neighbour_s_action_is_seen(alone):
    side_by_side, one, other = batch(2), stream(0), stream(1)
    side_by_side.join(one, other)
    one.seat.own.plan(one.action, other.seat.own.planned)
    for _ in range(3):
        side_by_side.step()
    with pytest.raises(AssertionError):
        assert_same([one], alone, [0])


def test_a_batch_without_guidance_on_actions_says_so():
    with pytest.raises(ValueError, match=r"got a stream with guidance on actions for a batch without; .*action_guided=True"):
        StreamBatch(tiny_world.generator(), 2).join(stream(1))


@pytest.mark.parametrize(("which", "length"), [(1, 0), (1, 4), (2, 1), (4, 3)])
def test_a_snapshot_keeps_what_is_done_and_planned(alone, which, length):
    running = stream(which)
    for _ in range(length):
        running.advance()
    again = tiny_world.generator().restore(running.snapshot())
    assert again.snapshot() == running.snapshot()
    while again.num_latent_frames < LENGTH:
        again.advance()
    assert_same([again], alone, [which])


def test_a_snapshot_keeps_the_actions_of_frames_that_wait():
    running = stream(0)
    for _ in range(4):
        next(running)
    (waiting,) = tiny_world.generator().restore(running.snapshot()).pending
    assert (waiting.index, waiting.action.tolist()) == (4, [1, 0, 0])


@pytest.mark.parametrize("decoding, after", [("row", 1), ("token", 1), ("token", 5), ("jacobi", 1)])
def test_latent_frame_that_is_given_up_leaves_no_trace(decoding, after):
    """What is done meanwhile holds from it on, as if nothing had been begun."""

    def acted(interrupted: bool) -> torch.Tensor:
        one = stream(1, params=replace(PLAIN, decoding=decoding), actions=None)
        batch = StreamBatch.of(tiny_world.generator(), [one])
        for index in range(6):
            one.act("left")
            if interrupted and index % 2:
                asked = iter([False] * (after - 1) + [True])
                assert batch.step(lambda asked=asked: next(asked)) == {} and next(asked, None) is None
            one.act("right" if index % 2 else "left")
            assert len(batch.step(lambda: False)) == 1
        return one.tokens

    assert torch.equal(acted(True), acted(False))
