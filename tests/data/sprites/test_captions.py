"""Captions of scenes, and scenes' objects back from captions."""

from dataclasses import replace

import numpy as np
import pytest
from sprite_scenes import scenes, sprite, still_scene

from framecast.data.sprites import (
    CAPTION_WORDS,
    caption_scene,
    describe,
    describe_at,
    parse_caption,
)


def test_captions_and_their_parser_are_inverses():
    for scene in [*scenes(), *scenes(seed=9)]:
        captions = caption_scene(scene)
        for caption in captions:
            wanted = [describe_at(item, caption.start) if scene.timeline else describe(item) for item in scene.objects]
            assert parse_caption(caption.text) == wanted, caption.text
            assert set(caption.text.replace(",", "").split()) <= set(CAPTION_WORDS)


def test_a_timeline_has_a_caption_from_0_and_from_every_switch_on():
    timelines = [scene for scene in scenes() if scene.timeline]
    for scene in timelines:
        first, *later = caption_scene(scene)
        assert first.start == 0 and later
        assert [caption.start for caption in later] == sorted({item.switch for item in scene.objects if item.then})
        assert all(caption.start % 4 == 1 for caption in later)
        assert all(" then " not in caption.text for caption in (first, *later))
    assert len(timelines) > 50


def test_captions_read_as_they_should():
    red = replace(sprite("circle", "red"), motion="moves right", then="stops", switch=13)
    ring = replace(sprite("ring", "blue", (10, 10)), size="small", motion="bounces")
    star = replace(sprite("star", "orange"), motion="moves up and left", names_size=False)
    scene = still_scene(red, ring)
    assert caption_scene(scene)[0].text == "a large red circle moves right, then stops, and a small blue ring bounces"
    assert [(caption.start, caption.text) for caption in caption_scene(replace(scene, timeline=True))] == [
        (0, "a large red circle moves right, and a small blue ring bounces"),
        (13, "a large red circle stops, and a small blue ring bounces"),
    ]
    assert caption_scene(still_scene(star))[0].text == "an orange star moves up and left"
    faded = replace(still_scene(replace(star, shape="digit 7", motion="falls")), light=np.array([0.5]))
    assert caption_scene(faded)[0].text == "an orange digit 7 falls, and the light fades"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a red circle",
        "an red circle falls",
        "a pink circle falls",
        "a red circle falls and a blue ring bounces",
        "a red circle falls, then bounces",
        "a red digit falls",
        "a red circle falls, and the camera pans up",
    ],
)
def test_other_texts_are_no_captions(text):
    with pytest.raises(ValueError, match="is no object of the sprite world"):
        parse_caption(text)


def test_the_words_are_fixed():
    """Prompts, tokenizers and checkpoints depend on these words; adding one is fine, dropping one breaks them."""
    assert " ".join(CAPTION_WORDS) == (
        "0 1 2 3 4 5 6 7 8 9 a an and bar behind blue bounces camera circle cross cyan digit down fades falls green "
        "in large left light magenta moves orange out pans passes red right ring small square stands star still stops "
        "the then triangle up white yellow"
    )
