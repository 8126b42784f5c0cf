"""`WorldVectorEnv`: each environment is what it would be alone, in all modes of beginning anew."""

import gymnasium
import numpy as np
import pytest
import tiny_world
from tiny_world import PROMPT

from framecast.data import ActionError
from framecast.sample import SnapshotError
from framecast.sample.worlds import WorldEnv, WorldVectorEnv

STEPS, LENGTH = 6, 3


def single() -> WorldEnv:
    return WorldEnv(tiny_world.generator(), prompt=PROMPT, max_steps=LENGTH, end_above=1.0)


def several(mode: str = "NextStep", count: int = 2) -> WorldVectorEnv:
    return WorldVectorEnv(tiny_world.generator(), count, prompt=PROMPT, max_steps=LENGTH, end_above=1.0, autoreset_mode=mode)


@pytest.fixture(scope="module")
def actions() -> list:
    space = several().action_space
    space.seed(5)
    return [space.sample() for _ in range(STEPS)]


def of(action: dict, place: int) -> dict:
    return {name: values[place] for name, values in action.items()}


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_each_is_what_it_would_be_alone(actions, mode):
    envs = several(mode)
    images, infos = envs.reset(seed=3)
    seen = [images, *(envs.step(action)[0] for action in actions)]
    assert images.shape == (2, 16, 24, 3) and infos["frame"].tolist() == [0, 0]
    for place in range(2):
        alone = single()
        expected, over = [alone.reset(seed=3 + place)[0]], False
        for action in actions:
            if over and mode == "NextStep":
                expected.append(alone.reset()[0])
                over = False
                continue
            image, _, ended, cut, _ = alone.step(of(action, place))
            over = ended or cut
            if over and mode == "SameStep":
                image, over = alone.reset()[0], False
            expected.append(image)
        for index, image in enumerate(expected):
            assert np.abs(seen[index][place].astype(int) - image).max() <= 1, (place, index)  # rounded at the last bit


def test_gymnasium_makes_them_by_their_id(actions):
    options = {"bundle": tiny_world.generator(), "prompt": PROMPT, "max_steps": LENGTH, "end_above": 1.0}
    envs = gymnasium.make_vec("framecast:framecast/World-v0", num_envs=2, render_mode="rgb_array", **options)
    assert isinstance(envs, WorldVectorEnv) and envs.spec.id == "framecast/World-v0" and envs.render_mode == "rgb_array"
    images, infos = envs.reset(seed=3)
    assert np.array_equal(images, several().reset(seed=3)[0]) and np.array_equal(envs.render(), images)
    assert infos["seed"].tolist() == [single().reset(seed=seed)[1]["seed"] for seed in (3, 4)]
    assert envs.get_action_meanings() == single().get_action_meanings()
    apart = gymnasium.make_vec("framecast/World-v0", num_envs=2, vectorization_mode="sync", **options)
    assert np.abs(apart.reset(seed=3)[0].astype(int) - images).max() <= 1


def test_the_last_image_of_an_episode_is_told_if_another_begins_at_once(actions):
    envs = several("SameStep")
    envs.reset(seed=3)
    *_, cut, infos = [envs.step(action) for action in actions[:LENGTH]][-1]
    assert cut.all() and infos["final_info"]["frame"].tolist() == [6, 6] and infos["frame"].tolist() == [0, 0]
    assert infos["final_obs"][0].shape == (16, 24, 3)


def test_only_those_that_are_asked_for_begin_anew(actions):
    envs = several("Disabled")
    envs.reset(seed=3)
    cut = [envs.step(action) for action in actions[:LENGTH]][-1][3]
    assert cut.all()
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"got a step after the end of episodes \[0, 1\]"):
        envs.step(actions[0])
    _, infos = envs.reset(seed=[8, 9], options={"reset_mask": np.array([True, False])})
    assert infos["_frame"].tolist() == [True, False]
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"episodes \[1\]"):
        envs.step(actions[0])
    with pytest.raises(ValueError, match=r"got a reset_mask of shape \[3\] and bool; wanted \[2\] of truth values"):
        envs.reset(options={"reset_mask": np.ones(3, bool)})


def test_all_can_go_on_from_one_moment(actions):
    alone, envs = single(), several(count=2)
    alone.reset(seed=4)
    alone.step(of(actions[0], 0))
    moment = alone.snapshot()
    images = envs.restore([moment] * 2)
    assert np.array_equal(images[0], images[1])
    seen = envs.step(actions[1])[0]
    for place in range(2):
        alone.restore(moment)
        assert np.abs(alone.step(of(actions[1], place))[0].astype(int) - seen[place]).max() <= 1
    again = several(count=2)
    again.restore(envs.snapshot())
    assert np.array_equal(again.step(actions[2])[0], envs.step(actions[2])[0])


def test_what_cannot_be_is_refused(actions):
    with pytest.raises(ValueError, match="got autoreset_mode 'never'; wanted one of NextStep, SameStep, Disabled"):
        several("never")
    envs = several()
    with pytest.raises(gymnasium.error.ResetNeeded, match="got a step before the first reset"):
        envs.step(actions[0])
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"got a snapshot before the first reset; wanted a reset: `envs.reset"):
        envs.snapshot()
    with pytest.raises(ValueError, match="got render_mode 'human'; wanted \"rgb_array\", or None"):
        WorldVectorEnv(tiny_world.generator(), 2, prompt=PROMPT, render_mode="human")
    with pytest.raises(ValueError, match="got 3 seeds; wanted one for each of 2 environments"):
        envs.reset(seed=[1, 2, 3])
    images, _ = envs.reset(seed=1)
    bad = {"buttons": np.array([1, 9]), "axes": np.zeros((2, 1), np.float32)}
    with pytest.raises(ActionError):
        envs.step(bad)
    assert np.array_equal(envs.reset(seed=1)[0], images)
    with pytest.raises(ValueError, match="got 1 snapshots; wanted one for each of 2 environments"):
        envs.restore(envs.snapshot()[:1])


def test_a_moment_that_cannot_be_restored_changes_nothing(actions):
    envs, like = several(), several()
    guided = WorldEnv(tiny_world.generator(), prompt=PROMPT, params={"guidance_scale": 2.0, "action_guidance": 2.0})
    for each in (envs, like):
        each.reset(seed=3)
    guided.reset(seed=3)
    moments = envs.snapshot()
    with pytest.raises(ValueError, match="got a snapshot of an environment with guidance_scale for environments without; wanted"):
        envs.restore([moments[0], guided.snapshot()])
    with pytest.raises(SnapshotError, match="got list as a snapshot; wanted the bytes that `snapshot` gave"):
        envs.restore([moments[0], []])
    with pytest.raises(ValueError, match="got str as snapshots; wanted a list of 2"):
        envs.restore("ab")
    assert np.array_equal(envs.step(actions[0])[0], like.step(actions[0])[0])
    envs.restore([bytearray(moment) for moment in moments])
    like.restore(moments)
    assert np.array_equal(envs.step(actions[0])[0], like.step(actions[0])[0])


def test_seeds_may_be_numbers_of_numpy():
    envs, image = several(), several().reset(seed=3)[0]
    for seed in (np.int64(3), np.array([3, 4]), (3, np.int32(4))):
        assert np.array_equal(envs.reset(seed=seed)[0], image)
    for seed, message in (
        (3.5, "got seed 3.5; wanted a whole number from 0, or 2 of them"),
        ("ab", "got seed 'ab'; wanted a whole number from 0"),
        ([1, 2.5], "got seed 2.5; wanted a whole number from 0, or None"),
        ([-1, 2], "got seed -1; wanted a whole number from 0"),
    ):
        with pytest.raises(ValueError, match=message):
            envs.reset(seed=seed)


@pytest.mark.parametrize("given", [None, 5, 10**400, "ab", {"buttons": np.array([1, 1])}, np.zeros((2, 3))])
def test_actions_that_are_none_are_refused(given):
    envs = several()
    envs.reset(seed=1)
    with pytest.raises(ActionError, match=r"(?s)got .* as actions; wanted one of Dict.*, or a list of 2 of Dict"):
        envs.step(given)
