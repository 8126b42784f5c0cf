"""Who plays: random keys that are held, drivers that stay on the road and leave it, and names that lead to them."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_worlds import ID

from framecast.data import ActionSpace, Axis, Button
from framecast.data.worlds import WorldSpec, open_world, play_episode, world_spec
from framecast.data.worlds.choosing import policy_maker
from framecast.data.worlds.drivers import Driver, Walker, Weaver

SPACE = ActionSpace(
    (Button("left", group="turn"), Button("fire"), Button("right", group="turn")), (Axis("wheel"), Axis("gas", rest=-1.0))
)
WORLD = SimpleNamespace(action_space=SPACE, spec=WorldSpec("Id-v0", SPACE, fps=10))
FRAME = np.zeros((8, 8, 3), np.uint8)


def rows_of(name: str, count: int = 4000, **more) -> np.ndarray:
    policy, rng = policy_maker(name, SPACE, **{"on": {}, **more})(), np.random.default_rng(0)
    return SPACE.check(np.stack([policy(FRAME, SPACE.nothing, rng, WORLD) for _ in range(count)]))


def mean_hold(column: np.ndarray) -> float:
    return len(column) / (1 + np.count_nonzero(np.diff(column)))


def test_random_keys_are_even_and_new_in_each_frame():
    rows = rows_of("random")
    np.testing.assert_allclose(rows[:, :3].mean(0), [1 / 3, 1 / 2, 1 / 3], atol=0.03)
    assert mean_hold(rows[:, 3]) == 1 and np.abs(rows[:, 3:].mean(0)).max() < 0.03


def test_held_keys_are_held_as_long_as_was_asked():
    rows = rows_of("held", hold=0.8)
    assert mean_hold(rows[:, 3]) == pytest.approx(8, rel=0.15)  # an axis is another at each draw
    assert mean_hold(rows[:, 1]) == pytest.approx(16, rel=0.2)  # a button is so every other time
    changes = np.diff(rows[:, :2], axis=0) != 0
    assert 0.3 < changes.all(1).sum() / (changes[:, 0].mean() * changes[:, 1].sum()) < 3  # apart from each other


def test_shares_say_how_likely_a_button_is_on():
    rows = rows_of("held", on={"fire": 0.9, "left": 0.6}, hold=0.1)
    np.testing.assert_allclose(rows[:, :3].mean(0), [0.6, 0.9, 0.2], atol=0.03)
    assert rows_of("random", on={"left": 1.0, "fire": 0.0}, count=50)[:, :3].tolist() == [[1, 0, 0]] * 50


def test_the_same_seed_plays_the_same():
    assert np.array_equal(rows_of("held", 100), rows_of("held", 100))


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("best", {}, r'got policy \'best\'; wanted held, random, driver, weaver, walker, or "module:function", which is called'),
        ("no_such:play", {}, "got policy 'no_such:play', and there is no module no_such; is it on PYTHONPATH"),
        ("small_worlds:play", {}, "and small_worlds has no play; wanted held"),
        ("small_worlds:ID", {}, "got policy 'small_worlds:ID', which cannot be called"),
        (
            "held",
            {"on": {"up": 0.5}},
            "got up 0.5 as how likely a button is on; wanted a share from 0 to 1 for some of left, fire",
        ),
        ("held", {"on": {"fire": 2}}, "got fire 2 as how likely"),
    ],
)
def test_policies_that_are_not_there_are_named(name, more, message):
    with pytest.raises(ValueError, match=message):
        policy_maker(name, SPACE, **{"on": {}, **more})


def test_a_function_sees_the_frame_and_a_class_begins_anew():
    with open_world(world_spec(ID, size=8)) as world:
        bright = policy_maker("small_worlds:right_if_bright", world.action_space, {})
        episode = play_episode(world, bright(), 3, 12).episode
    assert [row[1] for row in episode.actions[1:]] == [frame[4, 0, 0] % 2 for frame in episode.frames[:-1]]
    fails = policy_maker("small_worlds:Fails", SPACE, {})
    assert fails() is not fails()


def test_drivers_stay_on_the_road_and_wild_ones_leave_it():
    spec = world_spec("CarRacing-v3", size=16)
    with open_world(spec) as world:
        played = [play_episode(world, policy, 1, 60) for policy in (Driver(wild=0), Driver(wild=1), Weaver())]
    steady, wild, weaver = [float(np.nansum(each.episode.rewards)) for each in played]
    assert all(each.fault is None for each in played)
    assert steady > wild + 30 and weaver > wild
    assert len({each.episode.actions[1:].tobytes() for each in played}) == 3


def test_a_driver_of_another_world_says_what_it_drives():
    with open_world(world_spec(ID, size=8)) as world:
        played = play_episode(world, Driver(wild=0), 0, 9)
    assert played.episode is None
    assert "got small_worlds:Shown-v0, which has no track to drive on; this policy drives CarRacing" in str(played.fault)


def test_a_walker_turns_away_if_nothing_moves():
    space = ActionSpace((Button("left"), Button("right"), Button("forward")))
    world, rng = SimpleNamespace(action_space=space, spec=WorldSpec("Id-v0", space, fps=10)), np.random.default_rng(0)
    turning = {}
    for moves in (False, True):
        walker, frames = Walker(), rng.integers(0, 256, (400, 8, 8, 3), dtype=np.uint8)
        keys = [walker(frame if moves else frames[0], space.nothing, rng, world) for frame in frames]
        turning[moves] = sum("left" in each or "right" in each for each in keys)
        assert sum("forward" in each for each in keys) > 100
    assert turning[False] > turning[True] + 60
