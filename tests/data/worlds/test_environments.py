"""`World`: frames that show the action of their own row, equal for equal seeds and actions, and errors that say what to do."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from gymnasium import make
from small_worlds import ID, action_shown

from framecast.data import ActionError, ActionSpace, Button
from framecast.data.worlds import WorldError, WorldSpec, open_world, run_actions, world_spec
from framecast.notices import Notice

STEPS = np.array([[0, 0], [1, 0], [0, 0], [0, 1], [0, 1], [1, 0]], np.float32)


@pytest.fixture(scope="module")
def spec() -> WorldSpec:
    return world_spec(ID, size=4, fps=12)


def test_what_is_known_of_an_environment_fills_the_spec(spec):
    assert spec.action_space.names == ("left", "right")
    assert (spec.frame_skip, spec.fps, spec.size) == (2, 12.0, (4, 4))
    assert set(spec.versions) >= {"gymnasium", "numpy"}
    assert world_spec(ID, fps=7).fps == 8.0  # whole steps of 24 a second
    odd = world_spec(ID, fps=7, frame_skip=5)
    assert (odd.fps, odd.frame_skip) == (7, 5)


def test_row_t_is_what_was_done_between_frames_t_minus_1_and_t(spec):
    with open_world(spec) as world:
        frames = [world.reset(0), *(world.step(row).frame for row in STEPS)]
    assert [action_shown(frame) for frame in frames] == [0, 0, 1, 0, 2, 2, 1]


def test_a_control_shifted_rows_show_other_actions(spec):
    with open_world(spec) as world:
        frames = run_actions(world, 0, np.concatenate([STEPS[:1], STEPS]))
    shown = [action_shown(frame) for frame in frames]
    rows = [0, *(int(row @ [1, 2]) for row in STEPS)]
    assert shown == rows and shown[1:] != rows[:-1]


def test_equal_seeds_and_actions_give_equal_frames_whatever_came_before(spec):
    with open_world(spec) as world, open_world(spec) as other:
        first = run_actions(world, 7, STEPS)
        run_actions(other, 8, STEPS[:3])
        assert np.array_equal(run_actions(other, 7, STEPS), first)
        assert not np.array_equal(run_actions(world, 8, STEPS), first)  # control
        assert not np.array_equal(run_actions(world, 7, STEPS[::-1]), first)  # control


def test_an_episode_goes_on_from_its_middle(spec):
    with open_world(spec) as world:
        whole = run_actions(world, 3, STEPS)
        run_actions(world, 3, STEPS[:3])
        assert np.array_equal([world.step(row).frame for row in STEPS[3:]], whole[3:])
        assert world.num_frames == len(STEPS)


def test_skipped_steps_hold_the_action_and_add_their_rewards():
    with open_world(world_spec(ID, frame_skip=3, warmup=2, kwargs={"ends_at": 10})) as world:
        world.reset(0)
        step = world.step(STEPS[3])
        assert (step.reward, step.end) == (6.0, False) and step.frame.shape == (64, 64, 3)
        world.step(STEPS[3])
        last = world.step(STEPS[3])
        assert (last.reward, last.end) == (4.0, True) and world.is_over  # two of three steps
        with pytest.raises(
            WorldError, match=r"got a step in small_worlds:Shown-v0, which has ended or was not begun; call `reset`"
        ):
            world.step(STEPS[3])


def test_other_versions_than_those_of_the_recording_are_named(spec):
    older = replace(spec, versions={"gymnasium": "0.1", "numpy": np.__version__, "no-such-package": "3"})
    wanted = r"was recorded with gymnasium 0.1, now \d.*; no-such-package 3, now not installed; its frames may differ"
    with pytest.warns(Notice, match=wanted):
        open_world(older).close()


def test_pictures_are_cropped_and_scaled_by_area():
    with open_world(world_spec(ID, size=(2, 1), crop=(2, 6, 0, 8))) as world:
        frame = world.reset(0)
    assert frame[:, 0, 0].tolist() == [0, 100] and frame.shape == (2, 1, 3)
    with open_world(world_spec(ID, size=1)) as world:
        frame = world.reset(0)
        tint = world.env.unwrapped._tint
    assert abs(int(frame[0, 0, 0]) - (0 * 4 + 100 * 2 + tint * 2) / 8) <= 0.5


def test_what_an_environment_raises_says_where_and_of_which_seed():
    with open_world(world_spec(ID, fps=24, kwargs={"crashes_at": 3})) as world:
        world.reset(5)
        world.step(STEPS[0]), world.step(STEPS[0])
        wanted = r"Shown-v0 failed in step after 3 frames of seed 5: RuntimeError: the motor is stuck; mend the environment, or"
        with pytest.raises(WorldError, match=wanted):
            world.step(STEPS[0])
        assert world.is_over
    with open_world(world_spec(ID, crop=(0, 99, 0, 8))) as world:
        with pytest.raises(WorldError, match=r"got crop \(0, 99, 0, 8\) of a picture of 8 x 8; wanted rows and columns within"):
            world.reset(0)


@pytest.mark.parametrize(
    ("env_id", "message"),
    [
        ("Nowhere-v0", "got Nowhere-v0, which cannot be made: .*Nowhere.*wanted the id of an environment, such as CarRacing-v3"),
        ("no_such_module:Id-v0", "got no_such_module:Id-v0, which cannot be found: .*no_such_module.*; install its package"),
        ("VizdoomNowhere-v1", "got VizdoomNowhere-v1, which cannot be made"),
        ("CarRacing-v99", "got CarRacing-v99, which cannot be made"),
    ],
)
def test_an_environment_that_is_not_there_is_named(env_id, message):
    with pytest.raises(WorldError, match=message):
        world_spec(env_id)


@pytest.mark.parametrize(("env_id", "hidden"), [("VizdoomBasic-v1", "vizdoom"), ("CarRacing-v3", "Box2D")])
def test_a_package_that_is_not_installed_is_named_with_what_to_type(env_id, hidden, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == hidden]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(WorldError, match=rf"got no package {hidden}.*install it: pip install 'framecast\[worlds\]'"):
        world_spec(env_id)


def test_an_environment_without_known_actions_is_refused():
    with pytest.raises(ActionError, match=r"got an action space Text.*wanted Discrete, MultiDiscrete, MultiBinary, or Box"):
        world_spec("small_worlds:Told-v0")


def test_a_spec_with_other_actions_than_the_environment_is_refused(spec):
    other = WorldSpec(ID, ActionSpace((Button("jump"),)), fps=12)
    with pytest.raises(ActionError, match=r"got a space of 1 buttons and 0 axes for Discrete\(3\); wanted 2 buttons"):
        open_world(other)


@pytest.mark.parametrize("seed", [-1, 1.5, 2**32, "a"])
def test_a_seed_is_a_whole_number(spec, seed):
    with open_world(spec) as world, pytest.raises(ValueError, match=r"got seed .*; wanted a whole number from 0 to 4294967295"):
        world.reset(seed)


def test_cars_are_drawn_as_gymnasium_draws_them_and_only_when_seen():
    spec = world_spec("CarRacing-v3", size=96, crop=(0, 96, 0, 96), warmup=0)
    assert spec.action_space.names == ("left", "right", "gas", "brake") and (spec.fps, spec.frame_skip) == (12.5, 4)
    plain = make("CarRacing-v3", disable_env_checker=True)
    with open_world(spec) as world:
        frames, seen = [world.reset(3)], [plain.reset(seed=3)[0]]
        for keys in ["gas", "gas+left", "gas", "right", "brake"] * 2:
            row = spec.action_space.action(keys)
            frames.append(world.step(row).frame)
            for _ in range(4):
                picture = plain.step(world.to_env(row))[0]
            seen.append(picture)
    assert np.array_equal(frames, seen)
    assert not np.array_equal(frames[-1], frames[-2])


def test_a_scenario_of_doom_has_keys_and_runs_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = world_spec("VizdoomMyWayHome-v1", size=16)
    assert spec.action_space.names == ("left", "right", "forward", "strafe left", "strafe right")
    assert [button.key for button in spec.action_space.buttons] == ["ArrowLeft", "ArrowRight", "ArrowUp", "KeyA", "KeyD"]
    assert len(spec.action_space.groups) == 2 and spec.fps == pytest.approx(35 / 3)
    rows = np.stack([spec.action_space.action(keys) for keys in ["", "left", "left+forward", "forward", "strafe right"] * 2])
    with open_world(spec) as world:
        first = run_actions(world, 5, rows)
        run_actions(world, 6, rows)
        again = run_actions(world, 5, rows)
    assert np.array_equal(first, again) and not np.array_equal(first[1], first[2])
    with open_world(spec) as world:
        assert np.array_equal(run_actions(world, 5, rows), first)
    assert list(tmp_path.iterdir()) == []  # the engine leaves nothing where it is started


def test_the_end_of_doom_shows_the_frame_before():
    spec = world_spec("VizdoomBasic-v1", size=8, frame_skip=50)
    with open_world(spec) as world:
        frames = run_actions(world, 0, np.zeros((20, 3), np.float32))
        assert world.is_over and len(frames) < 20
        assert np.array_equal(frames[-1], frames[-2]) and frames[-1].any()
