"""Model cards: what they say, and what they do not invent."""

import pytest
import yaml

from framecast.data import ActionSpace, Axis, Button
from framecast.train.card import NO_LICENCE, Terms, model_card

VIDEO = {"height": 64, "width": 96, "fps": 12.0}
TRAINING = {
    "steps": 600,
    "batch_size": 16,
    "seconds": 5400.0,
    "machine": "2 CPU cores",
    "precision": "32-true",
    "num_frames": 17,
    "settings": {"class": "RandomCrops", "source": {"class": "VideoFolder", "root": "kitchen"}},
    "data": {"clips": 1234, "seconds": 7200.0, "captioned": 1000, "words": 321},
    "metrics": {"val/continuation_psnr": 21.25, "val/repeat_psnr": 23.4, "val/nats_row": 3.2},
}


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---")[1])


def test_a_card_says_data_training_figures_and_use():
    card = model_card(TRAINING, VIDEO, is_lm=True, text="Bread is cut.", picture=True)
    for words in (
        "# A video generator of kitchen",
        "Bread is cut.",
        "](picture.jpg)",
        "VideoFolder in RandomCrops",
        "1,234 clips, 17 frames each, 2.0 hours of video, 64x96 pixels at 12 frames/s",
        "1,000 clips have one, with 321 different words",
        "600 steps of 16 clips in 1.5 hours",
        "On 2 CPU cores, with precision 32-true",
        "with 21.2 dB",
        "Repeating the last frame, for comparison, has 23.4 dB",
        "framecast.load_generator(",
        NO_LICENCE,
    ):
        assert words in card, words
    expected = {"license": "unknown", "library_name": "framecast", "pipeline_tag": "text-to-video"}
    assert front_matter(card) == {**expected, "tags": ["framecast", "video-generation"]}


def test_the_card_of_a_world_says_what_can_be_done():
    space = ActionSpace((Button("left", "ArrowLeft"), Button("fire")), (Axis("gas", low=0.0, high=2.5),))
    training = {**TRAINING, "metrics": {"val/nats_row": 0.964, "val/nats_row_other_actions": 1.128}}
    card = model_card(training, VIDEO, is_lm=True, space=space)
    for words in (
        "Actions: left (ArrowLeft), fire, gas from 0 to 2.5.",
        "a row at a time, with a loss of 0.964 nats a token.",
        "Given another clip's actions, for comparison, it has 1.13 nats a token.",
        "framecast play FOLDER_OF_THIS_BUNDLE",
    ):
        assert words in card, words
    assert "Actions" not in model_card(TRAINING, VIDEO, is_lm=True)


def test_a_card_names_title_and_licence_as_given():
    card = model_card({**TRAINING, "title": "Kitchens", "licence": "Apache-2.0"}, VIDEO, is_lm=False)
    assert "# Kitchens\n" in card and "## Licence\n\nApache-2.0\n" in card and "picture" not in card
    assert front_matter(card)["license"] == "apache-2.0" and "framecast encode" in card
    text = model_card({**TRAINING, "licence": "For my friends."}, VIDEO, is_lm=False)
    assert front_matter(text)["license"] == "other" and text.endswith("For my friends.\n")


def test_what_is_not_known_is_left_out():
    card = model_card({"source": "SpriteWorld"}, VIDEO, is_lm=True)
    assert "# A video generator of SpriteWorld" in card
    assert "## Figures" not in card and "## Training" not in card and "clips," not in card
    silent = model_card({**TRAINING, "data": {**TRAINING["data"], "captioned": 0, "words": 0}}, VIDEO, is_lm=True)
    assert "Captions: none." in silent and "guidance_scale=0" in silent


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"title": " "}, r"got a title of 1 characters; wanted 1 to 120, some of them visible"),
        ({"licence": ""}, r"got a licence of 0 characters; wanted 1 to 20000"),
        ({"title": "a\nb"}, r"got the title .*; wanted one line"),
    ],
)
def test_terms_that_say_nothing_are_refused(terms, words):
    with pytest.raises(ValueError, match=words):
        Terms(**terms)
