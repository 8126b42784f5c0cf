"""What is found in a folder, and what is held out of it: whole files, always the same ones."""

from dataclasses import replace

import odd_videos as odd
import pytest
from video_folders import write_captions, write_clip

from framecast.train.own.asked import digest_of
from framecast.train.own.cutting import Cut
from framecast.train.own.holding import hold_out
from framecast.train.own.settings import OwnSettings
from framecast.train.own.videos import Found, held_out_captions, held_out_clips, look, training_clips
from framecast.train.own.words import say_found


def test_files_captions_and_what_is_left_out_are_counted(found):
    assert len(found.files) == 12 and found.captioned == 12 and found.longest_caption == len("noise 10")
    assert set(found.left_out) == {"short.mkv", "captions.jsonl line 14"}
    assert found.cut == Cut(40, 5, 4)  # little video: windows overlap, crops multiply
    assert found.files["clip_00.mkv"] == 5 and found.seconds(("clip_00.mkv",), 12.0) == pytest.approx(37 / 12)


def test_no_clip_of_a_file_that_is_held_out_is_trained_on(settings, found):
    trained, held = training_clips(settings, found), held_out_clips(settings, found)
    names = {trained[index].name.split("@")[0] for index in range(len(trained))}
    assert names == set(found.trained) and len(trained) == found.num_train_clips
    assert set(held.clips_of_files) == set(found.held_out) and not names & set(found.held_out)


def test_a_share_takes_at_least_one_file_and_is_the_same_again(settings):
    files = {f"{number}.mp4": 1 for number in range(30)}
    assert len(hold_out(files, settings)) == 3 and hold_out(files, settings) == hold_out(files, settings)
    assert hold_out(files, replace(settings, seed=1)) != hold_out(files, settings)
    assert len(hold_out({"a": 1, "b": 1}, settings)) == 1


def test_a_pattern_names_the_files(settings):
    files = {"a/1.mp4": 1, "b/1.mp4": 1}
    assert hold_out(files, replace(settings, hold_out="b/*")) == ("b/1.mp4",)
    with pytest.raises(ValueError, match=r"got --hold_out c/\*, which fits none of the 2 files .* such as a/1.mp4"):
        hold_out(files, replace(settings, hold_out="c/*"))


def test_one_file_alone_is_refused_with_the_command_that_cuts_it(tmp_path):
    write_clip(tmp_path / "film.mkv", 40, fps=12.0)
    with pytest.raises(ValueError, match=r"got one video file that can be used in .*; wanted at least two.*`ffmpeg -i film"):
        look(OwnSettings(videos=str(tmp_path), size=32))


def test_the_end_of_one_long_file_is_held_out(tmp_path, capsys):
    odd.write(tmp_path / "film.mkv", odd.moving(700, 1), odd.moving(60, 2))
    settings = OwnSettings(videos=str(tmp_path), size=32)
    found = look(settings)
    assert found.part == pytest.approx(0.9) and found.trained == found.held_out == ("film.mkv",)
    trained, held = training_clips(settings, found), held_out_clips(settings, found)
    assert found.num_train_clips <= len(trained) and len(held) > 0
    last = max(float(clip.name.split("@")[1].split("s")[0]) for clip in trained)
    assert last + 17 / 12 <= min(float(clip.name.split("@")[1][:-1]) for clip in held)
    assert Found.of_plain(found.plain()) == found
    say_found(settings, found)
    said = " ".join(capsys.readouterr().out.split())
    assert "There is one file only, so its last" in said and "1 file split at 1 cut between shots." in said


def test_one_file_that_is_left_over_is_refused_with_what_was_left_out(tmp_path):
    write_clip(tmp_path / "a.mkv", 40, fps=12.0)
    write_clip(tmp_path / "b.mkv", 40, fps=12.0)
    write_captions(tmp_path, {"file": "a.mkv", "caption": "noise"}, "{bad")
    with pytest.raises(ValueError, match=r"got one video file .*; left out: captions.jsonl line 2: "):
        look(OwnSettings(videos=str(tmp_path), size=32))


def test_files_that_captions_do_not_name_are_counted(tmp_path, capsys):
    for name in "abcd":
        write_clip(tmp_path / f"{name}.mkv", 40, fps=12.0)
    write_captions(tmp_path, *({"file": f"{name}.mkv", "caption": "noise"} for name in "ab"))
    settings = OwnSettings(videos=str(tmp_path), size=32)
    say_found(settings, look(settings))
    assert "Not used: 2 files of which captions.jsonl has no line." in capsys.readouterr().out


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """Two videos in each of three sub-folders, the name of one of which has the signs of a pattern."""
    folder = tmp_path_factory.mktemp("rooms")
    for name in ("kitchen", "hall", "attic[1]"):
        (folder / name).mkdir()
        for number in (1, 2):
            write_clip(folder / name / f"{number}.mkv", 20, fps=12.0)
    return folder


@pytest.mark.parametrize(
    ("include", "rooms_in_use"),
    [(("kitchen", "attic[1]/"), {"kitchen", "attic[1]"}), (("*/1.mkv",), {"kitchen", "hall", "attic[1]"}), ((".",), None)],
)
def test_files_to_include_are_sub_folders_or_patterns(rooms, capsys, include, rooms_in_use):
    settings = OwnSettings(str(rooms), size=32, include=include)
    found = look(settings)
    assert {file.split("/")[0] for file in found.files} == rooms_in_use or rooms_in_use is None
    assert found.excluded == 6 - len(found.files) and found.unnamed == 0
    used = {name.split("@")[0] for name in (clip.name for clip in training_clips(settings, found))}
    assert used == set(found.trained)
    say_found(settings, found)
    said = " ".join(capsys.readouterr().out.split())
    assert (f"Used is what fits --include {' '.join(include)}, and not" in said) == bool(found.excluded)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("kitchn", r"got --include kitchn, which fits none of the 6 files in .*; wanted a sub-folder .*; did you mean kitchen\?"),
        ("x*", r"got --include x\*, which fits none of the 6 files in .*; their paths are such as attic\[1\]/1.mkv"),
    ],
)
def test_a_pattern_that_fits_nothing_is_said(rooms, pattern, message):
    with pytest.raises(ValueError, match=message):
        look(OwnSettings(str(rooms), size=32, include=("kitchen", pattern)))


def test_a_delay_of_nothing_is_refused(settings):
    with pytest.raises(ValueError, match=r"got --action_delay 2, and no actions of the videos in .*; wanted an actions.jsonl in"):
        look(replace(settings, action_delay=2))


def test_files_that_are_left_out_for_one_reason_are_one_line(settings, found, capsys):
    reasons = {f"{number}.mkv": f"has {number} frames at 12 fps; wanted 17" for number in range(300)}
    say_found(settings, replace(found, left_out={**reasons, "a.mkv": "is empty"}))
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("Left out: 301 files.")
    assert lines[place + 1] == "  0.mkv and 299 more: has 0 frames at 12 fps; wanted 17"
    assert lines[place + 2] == "  a.mkv: is empty" and lines[place + 3].startswith("Held out")


def test_captions_of_what_is_held_out_are_known_without_reading_it(settings, found):
    assert held_out_captions(settings, found) == [f"noise {int(file[5:7])}" for file in found.held_out]


def test_names_with_the_signs_of_patterns_fit_themselves_alone(found):
    odd = replace(found, held_out=("a[1].mp4", "b*.mp4"))
    assert odd.held_out_patterns == ["a[[]1].mp4", "b[*].mp4"]


def test_found_goes_through_json_and_back(found):
    assert Found.of_plain(found.plain()) == found


def test_a_folder_that_has_changed_has_another_digest(tmp_path):
    settings = OwnSettings(str(tmp_path), size=32)
    write_clip(tmp_path / "a.mkv", 20)
    before = digest_of(settings)
    assert digest_of(settings) == before
    write_clip(tmp_path / "b.mkv", 20)
    assert digest_of(settings) != before


def test_a_path_that_is_no_folder_is_explained(tmp_path):
    (tmp_path / "my_videos").mkdir()
    (tmp_path / "film.mp4").touch()
    with pytest.raises(ValueError, match=r"no such folder; wanted a folder of videos; did you mean .*my_videos\?"):
        look(OwnSettings(str(tmp_path / "my_vidoes")))
    with pytest.raises(ValueError, match=r"film.mp4, which is a file; wanted the folder"):
        look(OwnSettings(str(tmp_path / "film.mp4")))


def test_captions_may_lie_elsewhere(videos, settings, tmp_path):
    (tmp_path / "other.jsonl").write_text('{"file": "clip_00.mkv", "caption": "one"}\n{"file": "clip_01.mkv"}\n')
    found = look(replace(settings, captions=str(tmp_path / "other.jsonl")))
    assert set(found.files) == {"clip_00.mkv", "clip_01.mkv"} and found.captioned == 1


def test_captions_that_spoil_a_training_are_said_at_its_start(tmp_path, capsys):
    for name in "abcd":
        write_clip(tmp_path / f"{name}.mkv", 40, fps=12.0)
    settings = OwnSettings(videos=str(tmp_path), size=32)
    for texts, thin in (("one one one one", True), ("one two three four", False)):
        write_captions(tmp_path, *({"file": f"{n}.mkv", "caption": t} for n, t in zip("abcd", texts.split(), strict=True)))
        found = look(settings)
        say_found(settings, found)
        said = " ".join(capsys.readouterr().out.split())
        assert ("Thin captions: files of one caption" in said) is thin and bool(found.thin) is thin
        assert Found.of_plain(found.plain()) == found
