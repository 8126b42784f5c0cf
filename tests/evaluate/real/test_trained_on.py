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
    assert seen.about == 'The bundle was trained on 2 of these 3 videos, going by the name of the folder, "mine".'


@pytest.mark.parametrize("root", ["/data/mine", "mine"])
def test_a_folder_within_the_one_that_was_trained_on_is_known_by_its_place(root):
    training = crops_of(root=root, include="*", exclude="held_out/*")
    assert not seen_in_training(training, Path("/data/mine/held_out"), ["b.mp4"]).files
    assert seen_in_training(training, Path("/data/mine/more"), ["b.mp4"]).files == {"b.mp4"}


def test_a_bundle_that_does_not_say_which_files_may_have_seen_all():
    seen = seen_in_training(crops_of(root="/data/mine"), Path("/data/mine"), FILES)
    assert seen.files == set(FILES) and "does not say on which files" in seen.about


def test_a_folder_of_another_name_counts_as_unseen_and_the_doubt_is_said():
    seen = seen_in_training(crops_of(root="/data/mine", include=["*"]), Path("/data/yours"), FILES)
    assert not seen.files
    assert 'trained on a folder of another name, "mine", so these videos count as unseen' in seen.about
    assert "If they are copies of videos in that folder, it has seen them." in seen.about


def test_a_folder_that_was_moved_keeps_its_name():
    assert seen_in_training(crops_of(root="/data/mine", include=["*"]), Path("/home/me/mine"), FILES).files == set(FILES)


def test_a_folder_is_known_by_its_own_name_and_by_that_of_a_link(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to("mine")
    for name in ("mine", "link"):
        seen = seen_in_training(crops_of(root=name, include=["*"], exclude=["c.*"]), tmp_path / "link", FILES)
        assert seen.files == {"a.mp4", "held_out/b.mp4"}, name


def test_a_folder_above_the_one_that_was_trained_on_holds_its_videos():
    seen = seen_in_training(
        crops_of(root="mine", include="*", exclude="c.*"), Path("/data"), ["mine/a.mp4", "mine/c.mp4", "x.mp4"]
    )
    assert seen.files == {"mine/a.mp4"}


@pytest.mark.parametrize("root", ["", ".", ".."])
def test_a_folder_without_a_name_is_not_known(root):
    seen = seen_in_training(crops_of(root=root, include=["*"]), Path("/data/mine"), FILES)
    assert not seen.files and "does not say which folder" in seen.about and "may be among them" in seen.about


def test_a_bundle_of_sprites_saw_none_and_one_that_says_nothing_may_have():
    sprites = seen_in_training({"source": "SpriteWorld", "settings": {"seed": 7}}, Path("/data"), FILES)
    assert not sprites.files and sprites.about == "The bundle was trained on SpriteWorld and not on these videos."
    assert "so these may be among them" in seen_in_training({}, Path("/data"), FILES).about
