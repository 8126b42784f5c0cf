"""The protocol card: what it says, and what decides whether figures are comparable."""

import sys

import tiny_bundle

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
