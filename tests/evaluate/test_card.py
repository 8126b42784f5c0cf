"""The protocol card: what it says, and what decides whether figures are comparable."""

import sys
from dataclasses import replace

import tiny_bundle
from real_videos import SETTINGS, write_folder

from framecast.evaluate import card
from framecast.evaluate.settings import Settings
from framecast.evaluate.study import Study
from framecast.sample import load_bundle


def test_a_world_without_held_out_combinations_is_measured_on_the_seen_ones(tmp_path):
    narrow = {"seed": 0, "combinations": "seen", "shapes": ["star"], "motions": ["moves left"], "two_objects": 0.0}
    video = {"height": 64, "width": 64, "fps": 12.0}
    training = {"source": "SpriteWorld", "settings": narrow}
    folder = tiny_bundle.save(tmp_path / "bundle", lm=None, text_tokenizer=None, video=video, training=training)
    study = Study(load_bundle(folder), Settings(clips=2))
    assert study.combinations == ["seen"] and "of the seen prompts occur" in card.overlap(study)


def test_the_card_says_of_videos_what_the_sections_say(tmp_path):
    for include, said in (("video0*", "was trained on 1 of these 4 videos"), (None, "of another name")):
        settings = {"class": "VideoFolder", "root": "videos" if include else "x", "include": [include or "*"], "exclude": []}
        training = {"source": "VideoFolder", "settings": settings}
        bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle", training=training))
        study = Study(bundle, replace(SETTINGS, real=str(write_folder(tmp_path / "videos"))))
        assert said in card.overlap(study) and study.held_out.about.endswith(card.overlap(study))


def test_all_code_that_figures_depend_on_decides_whether_they_are_used_again():
    rooms = (
        "framecast.data",
        "framecast.tokenizer",
        "framecast.model",
        "framecast.sample",
        "framecast.evaluate",
        "framecast.machine",
        "framecast.state",
        "framecast.stride",
    )
    used = {module.__file__ for name, module in sys.modules.items() if name.startswith(rooms)}
    assert used <= set(map(str, card.sources())) and len(used) > 50
