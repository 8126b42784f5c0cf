"""A policy that has collapsed ends its run, and says what to change."""

import pytest

from framecast.train.rewards.collapse import CollapseWatch, Health, Limits, PolicyCollapse

SOUND = Health(entropy=1.0, diversity=0.5, true_nats=2.0, start_nats=2.0)


def watch(window: int = 2) -> CollapseWatch:
    watching = CollapseWatch(Limits(window=window))
    for step in range(2 * window):
        watching.note(SOUND, step)
    return watching


@pytest.mark.parametrize(
    ("health", "message"),
    [
        (Health(0.29, 0.5, 2.0, 2.0), "at step 9 its entropy is 0.29, and was 1 at first; wanted at least 0.3 of that; lower"),
        (
            Health(1.0, 0.1, 2.0, 2.0),
            "its diversity is 0.1, and was 0.5 at first; wanted at least 0.5 of that; .*one clip cheats",
        ),
        (
            Health(1.0, 0.5, 2.4, 2.0),
            "its true nats is 2.4, and was 2 at first; wanted at most 1.15 of that; raise .*true_weight",
        ),
    ],
)
def test_each_measure_has_its_limit(health, message):
    watching = watch()
    watching.note(health, 8)  # one step is not enough
    with pytest.raises(PolicyCollapse, match=message):
        watching.note(health, 9)


def test_what_is_within_the_limits_goes_on():
    watching = watch()
    for step in range(20):
        watching.note(Health(0.4, 0.3, 2.2, 2.0), step)


def test_true_clips_are_compared_with_the_same_ones_by_the_start():
    watching = watch()
    for step in range(20):
        watching.note(Health(1.0, 0.5, 4.0, 4.0), step)  # hard clips for both


def test_a_watch_goes_on_where_it_stood():
    watching, other = watch(), CollapseWatch(Limits(window=2))
    watching.note(Health(0.1, 0.5, 2.0, 2.0), 8)
    other.load(watching.state())
    with pytest.raises(PolicyCollapse):
        other.note(Health(0.1, 0.5, 2.0, 2.0), 9)


@pytest.mark.parametrize("wrong", [{"entropy": 1.0}, {"diversity": -0.1}, {"true_nats": 1.0}, {"window": 0}])
def test_limits_that_cannot_be_are_named(wrong):
    with pytest.raises(ValueError, match="wanted entropy and diversity in"):
        Limits(**wrong)
