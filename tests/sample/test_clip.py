"""`Clip`: saves itself in every format and shows itself in a notebook."""

import base64
import io
import re

import pytest
import tiny_bundle
import torch
from PIL import Image

from framecast.data import read_video
from framecast.sample import Clip


@pytest.fixture
def clip() -> Clip:
    return Clip(tiny_bundle.frames(5), torch.zeros(2, 2, 3, dtype=torch.int64), 12.0, "a red circle", 7)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "gif", "webp", "png", "apng"])
def test_it_saves_itself(clip, tmp_path, suffix):
    path = tmp_path / f"clip.{suffix}"
    clip.save(path)
    assert path.stat().st_size > 100 and list(tmp_path.iterdir()) == [path]
    if suffix in ("mkv", "mp4"):
        video = read_video(path)
        assert video.fps == 12.0 and video.frames.shape == clip.frames.shape
        assert suffix == "mp4" or torch.equal(video.frames, clip.frames)
    else:
        assert Image.open(path).n_frames == 5


def test_an_unknown_suffix_and_a_missing_folder_are_refused(clip, tmp_path):
    with pytest.raises(ValueError, match=r"cannot write .*clip\.doc: the suffix '\.doc' is unknown; use one of"):
        clip.save(tmp_path / "clip.doc")
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist; make it first"):
        clip.save(str(tmp_path / "nowhere" / "clip.mkv"))
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_all_its_frames(clip):
    html = clip._repr_html_()
    data = base64.b64decode(re.fullmatch(r'<img src="data:image/webp;base64,([^"]+)" alt=".*>', html).group(1))
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.n_frames, picture.size) == ("WEBP", 5, (24, 16))
    assert "a red circle" not in html  # a prompt is text of a stranger


def test_clips_are_compared_by_identity(clip):
    assert clip == clip and clip != Clip(clip.frames, clip.tokens, clip.fps, clip.prompt, clip.seed)
    assert len({clip, clip}) == 1


def test_a_slice_from_the_start_keeps_the_tokens_of_its_whole_latent_frames():
    whole = tiny_bundle.generator().generate("a ring falls", 17, 3)
    for stop, latents in ((17, 5), (16, 4), (13, 4), (2, 1), (1, 1), (-4, 4), (99, 5)):
        part = whole[:stop]
        assert isinstance(part, Clip) and torch.equal(part.frames, whole.frames[:stop])
        assert torch.equal(part.tokens, whole.tokens[:latents]), stop
        assert (part.fps, part.prompt, part.seed) == (12.0, "a ring falls", 3)
    for which in (slice(1, None), slice(-5, None), slice(0, 0), slice(None, None, 2)):
        assert whole[which].tokens.shape == (0, 2, 3) and torch.equal(whole[which].frames, whole.frames[which])
    assert len(whole) == 17 and torch.equal(whole[3], whole.frames[3]) and len(list(whole)) == 17
    assert whole[::2].fps == 6.0 and len(whole[:1][:1].tokens) == 1


@pytest.mark.parametrize("name", ["clip.sheet.png", "CLIP.SHEET.PNG"])
def test_a_sheet_shows_the_frames_in_a_row(clip, tmp_path, name):
    clip.save(tmp_path / name)
    picture = Image.open(tmp_path / name)
    assert getattr(picture, "n_frames", 1) == 1 and picture.width >= 5 * 24 * 8 and picture.height >= 16 * 8
    noted = Clip(clip.frames, clip.tokens, clip.fps, clip.prompt, clip.seed, "the world wraps around")
    noted.save(tmp_path / "noted.sheet.png")
    assert Image.open(tmp_path / "noted.sheet.png").height > picture.height
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist"):
        clip.save(tmp_path / "nowhere" / "x.sheet.png")


def test_a_clip_of_a_world_that_wraps_around_says_so():
    from framecast.sample import load_generator

    assert load_generator().generate("a ring falls", 1).note.startswith("the world wraps around: what leaves")
    assert tiny_bundle.generator().generate("a ring falls", 1).note == ""
