"""There and back again: the place is the same, or it is not."""

from dataclasses import replace

import pytest
from played_worlds import SPACE, Dreamer, deaf, fading, recording, right
from studies import figure

from framecast.data import ActionSpace, Button
from framecast.evaluate.worlds import returns
from framecast.evaluate.worlds.returns import there_and_back, world_return
from framecast.evaluate.worlds.trying import opposites


def test_the_way_back_is_as_long_as_the_way_there():
    rows = there_and_back(opposites(SPACE)[0], SPACE.nothing, 7)
    assert rows.tolist() == [[1, 0]] * 3 + [[0, 1]] * 3 + [[0, 0]]


@pytest.fixture(scope="module")
def found():
    return world_return(Dreamer(right), lambda share: None)


def test_a_right_dream_comes_back_and_a_fading_one_does_not(found, monkeypatch):
    monkeypatch.setattr(returns, "SECONDS", (2.0, 5.0))
    faded = world_return(Dreamer(fading), lambda share: None)
    for seconds in (2, 5):
        name = f"PSNR of the place after {seconds} s there and back"
        assert figure(found, f"{name}: dreamt, against the truth") > 90
        assert figure(found, f"{name}: the last given frame, against the truth") > 90, "the ring itself comes back"
        assert figure(faded, f"{name}: dreamt, against the truth") < 30
    assert found.samples[0].frames.shape == (5 + 120, 18, 2 * 24 + 2, 3)
    assert {curve.name for curve in found.curves} > {"dreamt, against the truth"}


def test_a_world_that_never_left_is_found_out_on_the_way(monkeypatch):
    monkeypatch.setattr(returns, "SECONDS", (2.0,))
    section = world_return(Dreamer(deaf), lambda share: None)
    assert figure(section, "PSNR of the place after 2 s there and back: dreamt, against the truth") > 90
    way = next(curve for curve in section.curves if curve.name == "dreamt, against the truth")
    assert min(way.y) < 40 < way.y[-1]


def test_without_the_environment_the_way_back_is_stated_against_the_start():
    section = world_return(Dreamer(right, recording(has_truth=False)), lambda share: None)
    assert [one.name for one in section.figures if "against the truth" in one.name] == []
    assert figure(section, "PSNR of the place after 10 s there and back: dreamt, against the last given frame") > 90


def test_a_world_without_opposite_keys_has_no_way_back():
    one_way = replace(recording(), space=ActionSpace((Button("jump"), Button("fire"))))
    section = world_return(Dreamer(right, one_way), lambda share: None)
    assert not section.figures and "No two keys" in section.about


def test_every_trip_counts_once(found):
    assert {one.count for one in found.figures} == {3}
    assert {one.name.split(" s ")[0].rsplit(" ")[-1] for one in found.figures} == {"2", "5", "10"}
