"""Clips of real video that were not trained on."""

from dataclasses import replace

import pytest
import tiny_bundle
from real_videos import SETTINGS, write_folder

from framecast.evaluate.real.held_out import captions_of, fitted, long_clips, short_clips
from framecast.sample import load_bundle


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "videos")


@pytest.fixture
def bundle(tmp_path):
    return load_bundle(tiny_bundle.save(tmp_path / "bundle"))


def test_clips_are_as_long_as_the_videos_allow(bundle, tmp_path):
    for frames, given, length in ((50, 17, 49), (40, 17, 33), (20, 9, 17), (12, 5, 9)):
        folder = write_folder(tmp_path / f"videos{frames}", frames)
        found = long_clips(bundle, replace(SETTINGS, real=str(folder)))
        assert (found.given, found.num_frames, found.made) == (given, length, length - given)
        assert [clip.frames.shape for clip in found.clips] == 4 * [(length, 16, 24, 3)]
    assert found.about.startswith("4 clips of 9 frames (0.8 s) from 4 videos. The bundle was trained on SpriteWorld")


def test_videos_that_were_trained_on_are_left_out_if_there_are_others(bundle, folder):
    def trained(*include):
        settings = {"class": "VideoFolder", "root": "videos", "include": include, "exclude": []}
        return replace(bundle, training={"source": "VideoFolder", "settings": settings})

    some = short_clips(trained("video0*", "video1*"), replace(SETTINGS, real=str(folder)))
    assert {clip.name[:6] for clip in some.clips} == {"video2", "video3"} and "Those are left out." in some.about
    none = short_clips(trained("*"), replace(SETTINGS, real=str(folder)))
    assert len(none.clips) == 4 and "learned by heart" in none.about


def test_a_file_whose_name_is_like_a_pattern_is_found(bundle, tmp_path):
    folder = write_folder(tmp_path / "videos", captions=("a ring falls",))
    (folder / "video0.mkv").rename(folder / "a [1]*.mkv")
    (folder / "captions.jsonl").unlink()
    assert short_clips(bundle, replace(SETTINGS, real=str(folder))).clips[0].name.startswith("a [1]*.mkv")


def test_a_file_of_captions_takes_the_place_of_that_in_the_folder(bundle, folder, tmp_path):
    (tmp_path / "other.jsonl").write_text('{"file": "video2.mkv", "caption": "a ring falls"}\n')
    settings = replace(SETTINGS, real=str(folder), captions=str(tmp_path / "other.jsonl"))
    for cut in (short_clips, long_clips):
        assert [(clip.name[:6], clip.captions[0].text) for clip in cut(bundle, settings).clips[:1]] == [
            ("video2", "a ring falls")
        ]
        assert {clip.name[:6] for clip in cut(bundle, settings).clips} == {"video2"}
    with pytest.raises(ValueError, match=r"got --captions nowhere.jsonl, which is no file; wanted one such as `captions.jsonl`"):
        short_clips(bundle, replace(settings, captions="nowhere.jsonl"))
    with pytest.raises(ValueError, match=r"got --captions a.jsonl and no --real; wanted the folder of the videos"):
        replace(SETTINGS, captions="a.jsonl")


def test_what_is_no_folder_is_said(bundle, tmp_path):
    with pytest.raises(ValueError, match=r"got --real .*nowhere, which is no folder; wanted the folder that holds the videos"):
        short_clips(bundle, replace(SETTINGS, real=str(tmp_path / "nowhere")))


def test_captions_are_cut_to_what_a_prompt_may_have(bundle, folder):
    text = tiny_bundle.text_tokenizer()
    long = "a red circle moves right " * 20
    cut = fitted(long, text, 24)
    assert long.startswith(cut) and 0 < len(text.encode(cut, 24)) <= 24
    assert fitted("", text, 24) == "" and fitted("a ring falls", text, 24) == "a ring falls"
    clip = long_clips(bundle, replace(SETTINGS, real=str(folder))).clips[0]
    assert captions_of(clip, text, 24) == [(0.0, "a red circle moves right")]
