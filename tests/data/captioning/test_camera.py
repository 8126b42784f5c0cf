"""What the camera does and what moves, where both are known: windows that move over a picture, and a square that moves in one."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from framecast.data.captioning.entries import steadied, stretches
from framecast.data.captioning.measuring import Meter
from framecast.data.captioning.rules import RULES, Camera

RATE, SHAPE = 12.0, (90, 160)
SPEED = 0.15  # widths a second


def ground(seed: int = 0, side: int = 480) -> np.ndarray:
    """A picture of soft spots of all sizes, as photos have them, float `[side, side]`."""
    rng = np.random.default_rng(seed)
    layers = [gaussian_filter(rng.normal(size=(side, side)), width) * width for width in (2, 5, 12)]
    return 128 + 90 * sum(layers)


def seen(moment: float, picture: np.ndarray, right: float = 0, down: float = 0, closer: float = 0) -> np.ndarray:
    """uint8 `[90, 160, 3]`: what a camera sees that moves so many widths, or comes closer by that share, a second."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    scale, middle = np.exp(-closer * moment), len(picture) / 2
    places = [
        middle + (rows - SHAPE[0] / 2) * scale + down * 160 * moment,
        middle + (columns - SHAPE[1] / 2) * scale + right * 160 * moment,
    ]
    grey = map_coordinates(picture, places, order=1, mode="reflect")
    noise = np.random.default_rng(round(moment * 1000) + 100_000).normal(0, 2, SHAPE)
    return np.repeat((grey + noise).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def said(frames: list[np.ndarray]) -> list[tuple[str, ...]]:
    return [phrases.words for phrases in stretches(measured(frames).measures())]


def measured(frames: list[np.ndarray]) -> Meter:
    meter = Meter(RATE)
    for frame in frames:
        meter.add(frame)
    return meter


def over(seconds: float, seed: int = 0, **how: float) -> list[np.ndarray]:
    picture = ground(seed)
    return [seen(index / RATE - seconds / 2, picture, **how) for index in range(round(seconds * RATE))]


MOTIONS = {
    "the camera stands still": {},
    "the camera pans right": {"right": SPEED},
    "the camera pans left": {"right": -SPEED},
    "the camera tilts down": {"down": SPEED},
    "the camera tilts up": {"down": -SPEED},
    "the camera zooms in": {"closer": SPEED},
    "the camera zooms out": {"closer": -SPEED},
}


@pytest.mark.parametrize("words", MOTIONS)
def test_known_motion_of_the_camera_is_named(words):
    (found,) = said(over(2, **MOTIONS[words]))
    assert found[:2] == (words, "nothing moves")


def test_a_camera_that_shakes_is_named():
    rng, picture = np.random.default_rng(0), ground()
    frames = [seen(1.0, picture, *rng.normal(0, 0.015, 2)) for _ in range(24)]
    assert said(frames)[0][0] == "the camera shakes"


def test_a_change_of_motion_begins_an_entry_and_a_short_one_does_not():
    picture = ground()
    places = np.concatenate([np.zeros(24), np.arange(36) * SPEED / RATE])
    words = [phrases for phrases in stretches(measured([seen(1.0, picture, right=place) for place in places]).measures())]
    assert [phrases.words[0] for phrases in words] == ["the camera stands still", "the camera pans right"]
    assert abs(words[1].first - 24) <= 5
    twitch = np.concatenate([np.zeros(18), [0.02, 0.04], np.full(18, 0.04)])
    assert len(said([seen(1.0, picture, right=place) for place in twitch])) == 1


@pytest.mark.parametrize(
    ("way", "step"), [(" to the right", (0, 2)), (" to the left", (0, -2)), (" upwards", (-1, 0)), (" downwards", (1, 0))]
)
def test_what_moves_before_a_camera_at_rest_is_named_with_its_way(way, step):
    picture, thing = ground(), seen(0, ground(3, 500))[:24, :24]
    frames = []
    for index in range(24):
        frame = seen(0, picture).copy()
        top, left = 33 + step[0] * (index - 12), 68 + step[1] * (index - 12)
        frame[top : top + 24, left : left + 24] = thing
        frames.append(frame)
    (words,) = said(frames)
    assert words[0] == "the camera stands still" and "movement" in words[1] and way in words[1]


def test_a_large_thing_before_a_still_ground_is_not_taken_for_the_camera():
    """A mean of all motion would follow the thing, which covers more than a third of the picture."""
    picture, thing = ground(), np.tile(seen(0, ground(3)), (1, 2, 1))
    frames = [np.concatenate([seen(0, picture)[:56], thing[56:, 3 * index : 3 * index + 160]]) for index in range(24)]
    assert said(frames)[0][0] == "the camera stands still"


def test_light_and_colour_are_named():
    picture = seen(0, ground())
    dark, bright = (picture * 0.2).astype(np.uint8), (200 + picture * 0.2).astype(np.uint8)
    assert said([dark] * 24)[0][2] == "a dark picture" and said([bright] * 24)[0][2] == "a bright picture"
    fade = [(picture * share).astype(np.uint8) for share in np.linspace(1, 0.3, 30)]
    assert "the picture gets darker" in [words[2] for words in said(fade)]
    blue = (picture * [0.2, 0.3, 1]).astype(np.uint8)
    assert said([blue] * 24)[0][3] == "mostly blue" and said([picture] * 24)[0][3] == "black and white"


def test_frames_that_are_shown_twice_are_no_rest():
    meter = Meter(RATE)
    for frame in over(2, right=SPEED)[::2]:
        meter.add(frame)
        meter.add(frame, is_new=False)
    assert [phrases.words[0] for phrases in stretches(meter.measures())] == ["the camera pans right"]


def test_a_blank_picture_says_nothing_of_the_camera():
    assert said([np.full((*SHAPE, 3), 90, np.uint8)] * 12)[0][0] == ""


def test_a_label_changes_where_the_evidence_does_and_not_for_less_than_the_price():
    evidence = np.zeros((20, 2), np.float32)
    evidence[:10, 0] = evidence[10:, 1] = 1
    assert steadied(evidence, 3.0).tolist() == [0] * 10 + [1] * 10
    evidence[4, :] = 0, 1
    assert steadied(evidence, 3.0).tolist() == [0] * 10 + [1] * 10
    assert steadied(evidence, 0.1).tolist()[4] == 1  # the control: nearly free changes flicker


def test_every_phrase_is_plain_and_fixed():
    phrases = [phrase for rule in RULES for phrase in rule.phrases]
    assert len(Camera().phrases) == 9 and all(phrase == phrase.strip() and phrase.isascii() for phrase in phrases)
    assert len({word for phrase in phrases for word in phrase.split()}) < 60
