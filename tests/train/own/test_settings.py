import pytest

from framecast.train.own.settings import OwnSettings, changed, option_names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 63}, r"got --size 63; wanted a multiple of 8, .* the nearest are 56 and 64"),
        ({"size": 100}, r"got --size 100; wanted a multiple of 16, .* the nearest are 96 and 112"),
        ({"size": 8}, "got --size 8; wanted a whole number of pixels from 16 to 512"),
        ({"fps": 0}, "got --fps 0; wanted frames per second, from 1 to 120"),
        ({"minutes": 0}, "got --minutes 0; wanted minutes for all of the training, from 0.1"),
        ({"minutes": float("nan")}, "got --minutes nan"),
        ({"seed": 1.5}, "got --seed 1.5; wanted a whole number"),
        ({"action_delay": -1}, "got --action_delay -1; wanted stored frames that pass until an action shows, from 0 to 10,000"),
        ({"action_delay": 0.5}, "got --action_delay 0.5; wanted a whole number"),
        ({"include": ()}, r"got --include \(\); wanted sub-folders or patterns of paths, such as --include"),
        ({"include": ("a", "")}, "got --include .*; wanted sub-folders or patterns of paths"),
        ({"hold_out": 0.9}, r"got --hold_out 0.9; wanted a share of the files above 0 and up to 0.5, or a pattern"),
    ],
)
def test_what_is_out_of_range_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        OwnSettings(videos="x", **options)


@pytest.mark.parametrize("options", [{"title": "a\nb"}, {"title": 3}, {"licence": " "}])
def test_a_card_that_cannot_be_written_is_known_at_once(options):
    with pytest.raises(ValueError, match=r"got (the|a) (title|licence)"):
        OwnSettings(videos="v", **options)


def test_a_share_is_a_number_and_a_pattern_is_none():
    assert OwnSettings("x", hold_out=0.2).share == 0.2
    assert OwnSettings("x", hold_out="held_out/*").share is None


def test_what_has_changed_is_named():
    before = {name: getattr(OwnSettings("x"), name) for name in option_names()}
    assert changed(before, OwnSettings("x")) == []
    assert changed(before, OwnSettings("x", size=128, seed=1)) == ["--size 128 (was 64)", "--seed 1 (was 0)"]


def test_one_pattern_may_be_a_text():
    assert OwnSettings("x", include="a/*").include == ("a/*",) and OwnSettings("x", include=["a", "b"]).include == ("a", "b")
