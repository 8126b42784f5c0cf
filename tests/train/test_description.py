"""What a bundle says of its training: sources by class and settings, machines, times; no folder of anybody."""

from pathlib import Path

import pytest
import torch
from video_folders import SMALL, write_clip

from framecast.data import MixedClips, RandomCrops, SpriteWorld, VideoFolder
from framecast.train.description import describe_machine, describe_source, in_words, without_folders


def test_a_source_is_described_by_class_and_settings():
    described = describe_source(SpriteWorld(num_clips=10, seed=3))
    assert described["class"] == "SpriteWorld"
    assert (described["num_clips"], described["seed"], described["height"]) == (10, 3, 64)


def test_a_source_is_described_with_the_one_inside_it():
    inner = [SpriteWorld(num_clips=10, num_frames=5, size=40, seed=seed) for seed in (3, 4)]
    described = [describe_source(RandomCrops(source, size=32)) for source in inner]
    assert described[0]["class"] == "RandomCrops" and described[0]["source"] == describe_source(inner[0])
    assert described[0] != described[1]


def test_a_mix_is_described_with_all_that_is_in_it():
    inner = [SpriteWorld(num_clips=10, num_frames=5, size=40, seed=seed) for seed in (3, 4)]
    described = describe_source(MixedClips(inner))
    assert described["class"] == "MixedClips" and described["sources"] == [describe_source(source) for source in inner]


def test_of_a_folder_only_the_name_is_said(tmp_path):
    folder = tmp_path / "kitchen"
    write_clip(folder / "a.mkv", 12)
    source = VideoFolder(folder, **SMALL)
    assert describe_source(source)["root"] == "kitchen"
    assert source.seconds_of_video == pytest.approx(1.0)  # two clips of five frames at 10 fps
    assert VideoFolder(folder, **SMALL, step=1).seconds_of_video == pytest.approx(1.2)  # eight clips that overlap
    assert RandomCrops(source, size=8, copies=4).seconds_of_video == pytest.approx(1.0)
    assert str(tmp_path) in str(Path(source.root))  # the source itself knows its place


def test_a_folder_has_its_own_name_however_it_is_given(tmp_path, monkeypatch):
    folder = tmp_path / "kitchen"
    write_clip(folder / "a.mkv", 12)
    (tmp_path / "link").symlink_to("kitchen")
    monkeypatch.chdir(folder)
    for root in (".", "../link", folder):
        assert describe_source(VideoFolder(root, **SMALL))["root"] == "kitchen"


def test_absolute_paths_become_names_wherever_they_are():
    given = {"a": "/home/me/videos", "b": ("clips/*", "C:\\Users\\me\\x"), "c": [{"d": "/etc"}, 3, None], "e": "a/b"}
    assert without_folders(given) == {"a": "videos", "b": ("clips/*", "x"), "c": [{"d": "etc"}, 3, None], "e": "a/b"}


def test_times_and_machines_are_said_in_words():
    assert [in_words(s) for s in (0.4, 42, 600, 9000, 360_000)] == [
        "0.4 seconds",
        "42 seconds",
        "10 minutes",
        "2.5 hours",
        "100 hours",
    ]
    assert describe_machine(torch.device("cpu"), 1).endswith("CPU cores")
    assert describe_machine(torch.device("mps"), 1) == "1 x mps"
