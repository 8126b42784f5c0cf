"""`WorldEnv`: what Gymnasium wants of an environment, exact seeds, and moments to go back to."""

import warnings

import gymnasium
import numpy as np
import pytest
import tiny_bundle
import tiny_world
import torch
from gymnasium.utils.env_checker import check_env
from tiny_world import PROMPT

import framecast
from framecast.data import ActionError
from framecast.sample import SnapshotError, Start, VideoGenerator
from framecast.sample.worlds import WorldEnv

LEFT, GAS = ({"buttons": turn, "axes": np.array([gas], np.float32)} for turn, gas in ((1, 0.0), (0, 1.0)))


def env(**changes: object) -> WorldEnv:
    return WorldEnv(tiny_world.generator(), **{"prompt": PROMPT, "max_steps": 4, "end_above": 1.0, **changes})


def played(world: WorldEnv, actions=(LEFT, GAS, LEFT), seed: int | None = 3) -> list[np.ndarray]:
    image, _ = world.reset(seed=seed)
    return [image, *(world.step(action)[0] for action in actions)]


def test_gymnasium_finds_nothing_to_say():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env(render_mode="rgb_array"), skip_render_check=True)


def test_gymnasium_makes_one_by_its_id():
    world = gymnasium.make("framecast:framecast/World-v0", bundle=tiny_world.generator(), prompt=PROMPT, render_mode="rgb_array")
    assert world.spec.id == "framecast/World-v0" and world.render_mode == "rgb_array"
    image, info = world.reset(seed=3)
    assert np.array_equal(image, env().reset(seed=3)[0]) and np.array_equal(world.render(), image)
    assert info["seed"] == env().reset(seed=3)[1]["seed"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(world.unwrapped)  # which has a spec, so that its pictures are checked too


def test_what_an_action_does_is_told():
    assert env().get_action_meanings() == {"buttons": ["nothing", "left", "right"], "axes": ["gas"]}
    assert env().render_mode is None


def test_actions_come_in_many_kinds():
    world = env()
    same = [
        {"buttons": one, "axes": axis}
        for one, axis in (
            (1, [0.5]),
            (np.int64(1), np.array([0.5])),
            (np.array(1), (0.5,)),
            (torch.tensor(1), torch.tensor([0.5], dtype=torch.bfloat16, requires_grad=True)),
        )
    ]
    frames = [played(world, [action])[1] for action in same]
    assert all(np.array_equal(frames[0], frame) for frame in frames)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (10**400, "got 1000"),
        (10**5000, "got a value of int"),
        ({"buttons": 1, "axes": [10**400]}, "got {'buttons': 1, 'axes': "),
        ({"buttons": 10**400, "axes": [0.5]}, "got {'buttons': 1000"),
        ({"buttons": 1, "axes": ["0.5"]}, "got {'buttons': 1, 'axes': "),
        ({"buttons": 1, "axes": [0.5], "feet": 2}, "got {'buttons': 1"),
        (torch.tensor([0.5]), r"got tensor\(\[0.5"),
        (object(), "got <object"),
    ],
    ids=["int", "long int", "axes", "buttons", "text", "more", "tensor", "object"],
)
def test_what_is_no_action_is_named(action, said):
    world = env()
    world.reset(seed=0)
    with pytest.raises(ActionError, match=rf"(?s)^{said}.* as an action; wanted one of Dict"):
        world.step(action)


def test_the_same_seed_and_actions_give_the_same_frames():
    world = env()
    first, again, other = played(world), played(world), played(world, seed=4)
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(played(world, (GAS, GAS, LEFT))[1], first[1])  # an action changes the frame after it
    following = [world.reset()[0] for _ in range(2)]
    world.reset(seed=3)
    assert np.array_equal(world.reset()[0], following[0]) and not np.array_equal(*following)


def test_an_environment_is_the_stream_of_its_seed():
    world = env()
    image, info = world.reset(seed=3)
    assert info["frame"] == 0
    stream = tiny_world.generator().stream(PROMPT, info["seed"], guidance_scale=1.0)
    assert np.array_equal(image, stream.step()[-1].image.numpy())
    seen, reward, ended, cut, told = world.step(LEFT)
    frames = stream.step("left")
    assert np.array_equal(seen, frames[-1].image.numpy()) and (reward, ended, cut) == (stream.reward, False, False)
    assert told["frame"] == 2 and np.array_equal(told["frames"], np.stack([frame.image for frame in frames]))


def test_an_episode_ends_where_the_model_says_so_and_is_cut_off():
    world = env(end_above=0.0)
    world.reset(seed=0)
    assert world.step(LEFT)[2:4] == (True, False)
    with pytest.raises(gymnasium.error.ResetNeeded, match="got a step after the end of an episode"):
        world.step(LEFT)
    silent = tiny_world.generator(rewards=False, ends=False)
    world = WorldEnv(silent, prompt=PROMPT, max_steps=2, end_above=0.0)
    world.reset(seed=0)
    assert [world.step(LEFT)[1:4] for _ in range(2)] == [(0.0, False, False), (0.0, False, True)]


def test_a_moment_is_gone_back_to():
    world, other = env(), env()
    world.reset(seed=3)
    world.step(GAS)
    moment = world.snapshot()
    future = [world.step(LEFT)[0], world.reset()[0]]
    for one in (world, other):
        one.restore(moment)
        assert [np.array_equal(a, b) for a, b in zip([one.step(LEFT)[0], one.reset()[0]], future, strict=True)] == [True, True]
    with pytest.raises(SnapshotError, match=r"got no snapshot of an environment .* wanted the bytes that its `snapshot` gave"):
        world.restore(b"nothing")


def test_an_episode_begins_from_a_start_or_a_picture():
    clip = tiny_world.generator().generate(PROMPT, 5, 1, actions="left")
    starts = [Start("one", clip.tokens, "a ring falls"), Start("two", clip.tokens[:1])]
    generator = tiny_world.generator()
    generator = VideoGenerator(
        generator.tokenizer, generator.lm, generator.text_tokenizer, 16, 24, 12.0, action_space=tiny_world.SPACE, starts=starts
    )
    world = WorldEnv(generator, start="one")
    image, info = world.reset(seed=0)
    assert info["frame"] == 4 and np.array_equal(image, clip.frames[4]) and world.step(LEFT)[4]["frame"] == 6
    for by_chance in (WorldEnv(generator, start=range(2)), WorldEnv(generator)):
        assert {by_chance.reset(seed=seed)[1]["frame"] for seed in range(8)} == {0, 4}
    drawn = WorldEnv(generator, start=[]).reset(seed=0)
    assert drawn[1]["frame"] == 0 and not np.array_equal(drawn[0], generator.decode(starts[1].tokens)[-1])
    given = env(first_frames=clip.frames[:1])
    assert np.array_equal(given.reset(seed=0)[0], generator.decode(generator.encode(clip.frames[:1]))[-1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": "house"}, "got the start 'house'; wanted none: this bundle keeps no starts"),
        ({"prompt": None}, 'got no prompt; wanted what the world shows, such as prompt="a car'),
        ({"max_steps": 0}, "got max_steps 0; wanted a whole number from 1, or None"),
        ({"end_above": 2}, "got end_above 2; wanted a number from 0 to 1"),
        ({"render_mode": "human"}, "got render_mode 'human'; wanted \"rgb_array\", or None"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        env(**changes)


def test_bad_use_is_named():
    with pytest.raises(ActionError, match="got an action for 'unnamed', a model that knows no actions"):
        framecast.WorldEnv(tiny_bundle.generator(), prompt=PROMPT)
    world = env(render_mode="rgb_array")
    with pytest.raises(gymnasium.error.ResetNeeded, match="got step before the first reset"):
        world.step(LEFT)
    world.reset(seed=0)
    with pytest.raises(ActionError):
        world.step({"buttons": 7, "axes": np.zeros(1, np.float32)})
    assert np.array_equal(world.render(), world.reset(seed=0)[0])  # nothing has happened


def test_a_seed_may_be_a_number_of_numpy():
    world = env()
    assert np.array_equal(world.reset(seed=np.int64(3))[0], world.reset(seed=3)[0])
    with pytest.raises(ValueError, match=r"got seed 3\.5; wanted a whole number from 0, or None to go on"):
        world.reset(seed=3.5)
