"""Which videos a bundle was trained on, as far as it says."""

from pathlib import Path

import pytest

from framecast.evaluate.real.trained_on import seen_in_training

FILES = ["a.mp4", "held_out/b.mp4", "c.mp4"]


def crops_of(**folder) -> dict:
    """The training of a video LM on crops of a folder."""
    return {"source": "RandomCrops", "settings": {"class": "RandomCrops", "source": {"class": "VideoFolder", **folder}}}


@pytest.mark.parametrize("root", ["/data/mine", "mine"])
def test_files_that_the_patterns_let_through_were_trained_on(root):
    training = crops_of(root=root, include=["*"], exclude=["held_out/*"])
    seen = seen_in_training(training, Path("/data/mine"), FILES)
    assert seen.files == {"a.mp4", "c.mp4"}
    assert seen.about == 'The bundle was trained on 2 of these 3 videos of the folder "mine".'


@pytest.mark.parametrize("root", ["/data/mine", "mine"])
def test_a_folder_within_the_one_that_was_trained_on_is_known_by_its_place(root):
    training = crops_of(root=root, include="*", exclude="held_out/*")
    assert not seen_in_training(training, Path("/data/mine/held_out"), ["b.mp4"]).files
    assert seen_in_training(training, Path("/data/mine/more"), ["b.mp4"]).files == {"b.mp4"}


def test_a_bundle_that_does_not_say_which_files_may_have_seen_all():
    seen = seen_in_training(crops_of(root="/data/mine"), Path("/data/mine"), FILES)
    assert seen.files == set(FILES) and "does not say on which files" in seen.about


def test_another_folder_was_not_trained_on():
    seen = seen_in_training(crops_of(root="/data/mine", include=["*"]), Path("/data/yours"), FILES)
    assert not seen.files and "lie in another one" in seen.about


def test_a_bundle_of_sprites_saw_none_and_one_that_says_nothing_may_have():
    sprites = seen_in_training({"source": "SpriteWorld", "settings": {"seed": 7}}, Path("/data"), FILES)
    assert not sprites.files and sprites.about == "The bundle was trained on SpriteWorld and not on these videos."
    assert "so these may be among them" in seen_in_training({}, Path("/data"), FILES).about
