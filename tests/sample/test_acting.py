"""Actions in streams: how they are given, when they hold, and what they change."""

from itertools import islice

import numpy as np
import pytest
import tiny_bundle
import tiny_world
import torch
from tiny_world import PROMPT, SPACE

from framecast.data import ActionError
from framecast.sample import Stream

LENGTH = 13  # frames, in 7 latent frames
WAYS = ["token", "row", "frame", "jacobi"]


def stream(seed: int = 1, **given: object) -> Stream:
    return tiny_world.generator().stream(PROMPT, seed, **{"guidance_scale": 1.0, **given})


def made(running: Stream, num_frames: int = LENGTH) -> torch.Tensor:
    """The tokens once so many frames are made."""
    while running.codec.stride.num_frames(running.num_latent_frames) < num_frames:
        running.advance()
    return running.tokens


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    return tiny_world.actions(LENGTH)


@pytest.fixture(scope="module")
def expected(rows) -> torch.Tensor:
    return made(stream(actions=rows))


@pytest.mark.parametrize("decoding", WAYS)
def test_an_action_changes_what_comes_and_nothing_before(rows, decoding):
    other = rows.clone()
    other[5:7] = torch.tensor([0.0, 1.0, 1.0])  # those of the latent frame 3
    tokens, others = (made(stream(actions=each, decoding=decoding)) for each in (rows, other))
    assert torch.equal(tokens[:3], others[:3]) and not torch.equal(tokens[3], others[3])


def test_all_ways_to_give_actions_are_one(rows, expected):
    listed = [None if row.isnan().any() else row.tolist() for row in rows]
    for given in (rows.numpy(), listed, stream(actions=rows).codec.stride.group(rows)):
        assert torch.equal(made(stream(actions=given)), expected)


def test_an_iterator_and_a_function_give_an_action_for_each_latent_frame():
    actions = ["left", {"gas": 0.5}, "", "right", [0, 1, -1]]
    by_hand = stream()
    by_hand.step()
    for action in [*actions, actions[-1]]:
        by_hand.step(action)
    asked = []

    def choose(running: Stream) -> object:
        asked.append(running.num_latent_frames)
        if len(asked) > len(actions):
            raise StopIteration
        return actions[len(asked) - 1]

    for source in (iter(actions), choose):
        assert torch.equal(made(stream(actions=source)), by_hand.tokens)
    assert asked == [1, 2, 3, 4, 5, 6]


def test_a_text_begins_with_the_second_frame_and_its_last_action_holds():
    running = stream(actions="left*3 right*2 gas=0.5")
    made(running)
    turns = [SPACE.describe(row.numpy()) for row in running.codec.stride.ungroup(running.actions)]
    assert turns == ["unknown", *["left"] * 3, *["right"] * 2, *["gas 0.5"] * 7]


def test_one_action_holds_throughout():
    for one in ("left", {"left": True}, [1, 0, 0], np.array([1.0, 0, 0]), torch.tensor([1.0, 0, 0])):
        running = stream(actions=one)
        made(running, 5)
        assert (running.actions[1:] == torch.tensor([1.0, 0, 0])).all()


def test_act_holds_from_the_next_latent_frame_on():
    running = stream()
    assert running.act("left") == 1  # nothing was done before the first frame
    frames = [next(running) for _ in range(3)]
    assert [frame.action if frame.action is None else frame.action.tolist() for frame in frames] == [None, [1, 0, 0], [1, 0, 0]]
    assert running.act({"gas": 1.0}) == 3 and running.action.tolist() == [0, 0, 1]
    assert [next(running).action.tolist() for _ in range(2)] == [[0, 0, 1]] * 2
    assert running.act(None) == 5 and next(running).action is None


def test_act_drops_what_was_planned_and_what_would_be_asked(rows):
    for source in (rows, iter(["right"] * 9)):
        running = stream(actions=source)
        made(running, 3)
        running.act("left")
        made(running, 7)
        assert (running.actions[2:] == torch.tensor([1.0, 0, 0])).all()


def test_a_step_gives_the_frames_of_one_latent_frame_after_those_that_waited():
    running = stream()
    assert [frame.index for frame in running.step("left")] == [0]
    assert [frame.index for frame in running.step()] == [1, 2]
    assert next(running).index == 3
    assert [frame.index for frame in running.step("right")] == [4, 5, 6]
    running.close()
    with pytest.raises(ValueError, match="got a closed stream to step"):
        running.step()


def test_a_stream_goes_on_from_frames_and_what_was_done_in_them(rows, expected):
    groups = stream().codec.stride.group(rows)
    for first in (rows[:7], groups[:4]):
        running = stream(first_tokens=expected[:4], first_actions=first, actions=rows[7:])
        assert torch.equal(made(running), expected)
        assert torch.equal(running.actions.nan_to_num(9), groups.nan_to_num(9))
    held = stream(first_tokens=expected[:4], first_actions=rows[:7])
    assert torch.equal(held.action, rows[6])  # until another is given


def test_a_branch_may_do_something_else(rows, expected):
    running = stream(actions=rows)
    made(running, 7)
    same, (left,), (right,) = running.branch([1]), running.branch([1], actions="left"), running.branch([1], actions="right*9")
    assert torch.equal(made(same[0]), expected)
    assert not torch.equal(made(left), made(right)) and torch.equal(left.tokens[:4], expected[:4])
    assert torch.equal(made(running), expected)
    with pytest.raises(ValueError, match="got an iterator of actions for 2 branches"):
        running.branch([1, 2], actions=iter(["left"]))


def test_a_function_that_raises_loses_nothing(rows, expected):
    failing = iter([RuntimeError("broken policy"), None])

    def choose(running: Stream) -> object:
        if running.num_latent_frames == 2 and (error := next(failing)) is not None:
            raise error
        return rows[2 * running.num_latent_frames].numpy()

    held = rows.clone()
    held[1::2] = held[2::2]
    running = stream(actions=choose)
    with pytest.raises(RuntimeError, match="broken policy"):
        made(running)
    assert running.num_latent_frames == 2
    assert torch.equal(made(running), made(stream(actions=held)))


def test_guidance_on_actions_goes_beyond_what_they_change(rows):
    plain, *others = (
        made(stream(actions=rows, **scales), 9)
        for scales in ({}, {"action_guidance": 3.0}, {"action_guidance": 0.0}, {"action_guidance": 3.0, "guidance_scale": 2.0})
    )
    assert len({tuple(tokens.flatten().tolist()) for tokens in (plain, *others)}) == 4
    unknown = made(stream(), 9)
    assert torch.equal(others[1], unknown)  # a scale of 0 predicts without actions
    with pytest.raises(ValueError, match=r"got action_guidance 2 for a stream that began without"):
        stream().params = {"guidance_scale": 1.0, "action_guidance": 2.0}


def test_reward_and_end_of_the_latest_latent_frame_are_told():
    running = stream()
    assert running.reward is None is running.end
    running.step(), running.step("left")
    left = (running.reward, running.end)
    assert all(isinstance(value, float) for value in left) and 0 <= running.end <= 1
    silent = tiny_world.generator(rewards=False, ends=False).stream(PROMPT, 1)
    silent.step()
    assert silent.reward is None is silent.end


def test_a_clip_has_its_actions():
    clip = tiny_world.generator().generate(PROMPT, 5, 1, actions="left*2 right", guidance_scale=1.0)
    assert clip.actions.shape == (3, 2, 3) and clip[:3].actions.shape == (2, 2, 3)
    both = tiny_world.generator().generate([PROMPT, "a ring falls"], 5, 1, actions="left*2 right", guidance_scale=1.0)
    assert torch.equal(both[0].tokens, clip.tokens) and torch.equal(both[1].actions.nan_to_num(9), clip.actions.nan_to_num(9))
    with pytest.raises(ValueError, match="got an iterator of actions for several clips"):
        tiny_world.generator().generate([PROMPT, PROMPT], 5, actions=iter(["left"]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("up*3", "got up, which this world has not; wanted some of left, right, gas"),
        (np.zeros((3, 2)), r"got actions of shape \[3, 2\]; wanted \[frames, 3\], numbers for left, right, gas"),
        (np.zeros((3, 4, 3)), r"got actions of shape \[3, 4, 3\]; wanted \[latent frames, 2, 3\]"),
        ([], r"got actions of shape \[\]; wanted \[frames, 3\]"),
        ([[0, 0, 2]], "got an action with gas 2 in row 0; wanted -1 to 1"),
        ([[1, 1, 0]], "got an action with left and right at once"),
        ([[float("nan"), 0, 0]], "got an action without a number for left"),
        (torch.full((2, 3), 0.5), "got actions with left 0.5 in row 0; wanted 0 or 1, it is a button"),
    ],
)
def test_actions_that_cannot_be_are_refused(given, message):
    with pytest.raises(ActionError, match=message):
        stream(actions=given)
    if not isinstance(given, str):
        with pytest.raises(ActionError):
            stream().act(given)


def test_first_actions_are_as_many_as_first_frames(rows, expected):
    with pytest.raises(ActionError, match="got first_actions for 5 frames; wanted one for each of the 7 frames"):
        stream(first_tokens=expected[:4], first_actions=rows[:5])
    with pytest.raises(ValueError, match="got first_actions and no first frames; wanted both"):
        stream(first_actions=rows[:5])


def test_a_model_without_actions_refuses_them():
    generator = tiny_bundle.generator()
    running = generator.stream(PROMPT)
    assert running.actions is None is running.action and generator.action_space is None
    for do in (lambda: running.act("left"), lambda: generator.stream(PROMPT, actions="left"), lambda: running.step(None)):
        with pytest.raises(ActionError, match="got an action for 'unnamed', a model that knows no actions; wanted none, or the"):
            do()
    with pytest.raises(ValueError, match="got action_guidance 2 for 'unnamed', a model that knows no actions; wanted 1"):
        generator.stream(PROMPT, action_guidance=2.0)
    assert next(running).action is None


def test_an_action_that_cannot_be_leaves_the_old_one():
    running = stream(actions="left")
    made(running, 3)
    with pytest.raises(ActionError):
        running.act("up")
    assert [frame.action.tolist() for frame in islice(running, 2)] == [[1, 0, 0]] * 2
