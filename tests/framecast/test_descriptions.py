"""What a path holds, in rows for a person."""

import shutil
from pathlib import Path

import pytest
import tiny_bundle
from PIL import ExifTags, Image

from framecast.data import write_video
from framecast.descriptions import describe
from framecast.sample import BundleError, SnapshotError, TokenFileError

PROMPT = "a red circle moves right; at 5s it stops"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A bundle, a bundle without an LM, and a stream as tokens, as a snapshot and as a video."""
    place = tmp_path_factory.mktemp("place")
    tiny_bundle.save(place / "bundle")
    tiny_bundle.save(place / "tokenizer", lm=None, text_tokenizer=None, training={"data": {"files": list(range(10))}})
    stream = tiny_bundle.generator().stream(PROMPT, seed=3)
    stream.record(place / "tokens.fct")
    for _ in range(6):
        next(stream)
    (place / "stream.snapshot").write_bytes(stream.snapshot())
    stream.close()
    write_video(place / "video.mp4", tiny_bundle.frames(12), 12.0)
    return place


def shown(path: Path) -> str:
    return "\n".join(f"{name}: {value}" for name, value in describe(str(path)))


def test_a_bundle_says_its_size_its_words_and_its_training(place):
    text = shown(place / "bundle")
    for line in (
        "video: 16x24 pixels, 12 frames/s",
        "strides: 4 frames, 8 pixels",
        "tokens: 2x3 in a latent frame",
        "training steps: 7",
    ):
        assert line in text
    assert "words: 10: a blue circle falls moves red right ring square up" in text
    assert f"parameters, FSQ, {tiny_bundle.tokenizer().codebook_size} codes" in text


def test_counts_are_those_of_the_networks(place):
    count = sum(p.numel() for p in tiny_bundle.lm().parameters())
    assert f"video LM: {count / 1e6:.2f}M parameters" in shown(place / "bundle")


def test_a_tokenizer_alone_has_no_row_of_an_lm_and_long_values_are_cut(place):
    text = shown(place / "tokenizer")
    assert "60 codes" in text and "video LM" not in text
    assert "files: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more" in text


def test_the_shipped_model_is_described_without_a_path():
    rows = dict(describe(None))
    assert rows["video"] == "64x64 pixels, 12 frames/s" and "circle" in rows["words"]


def test_the_shipped_world_is_described_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = dict(describe("world"))
    assert "left" in rows["buttons"] and rows["video"] == "64x64 pixels, 12.5 frames/s"
    tiny_bundle.save(tmp_path / "world")  # a folder of that name comes first
    assert dict(describe("world"))["bundle"] == "world"


def test_a_token_file_says_its_prompts_and_who_made_it(place):
    text = shown(place / "tokens.fct")
    assert "video: 9 frames of 16x24 pixels, 12 frames/s" in text and "tokens: 3 latent frames of 2x3, 60 codes" in text
    assert "seed: 3" in text and "prompt from 0.00 s: a red circle moves right" in text and "temperature" in text


def test_a_snapshot_says_where_its_stream_stands(place):
    text = shown(place / "stream.snapshot")
    assert "stands at: latent frame 3" in text and "seed: 3" in text
    assert "prompt from latent frame 15: a red circle stops" in text and "made by lm: sha256 " in text


def test_a_video_says_its_size(place):
    assert "video: 16x24 pixels, 12 frames/s, 12 frames, 1.00 s" in shown(place / "video.mp4")


def picture(path: Path, frames: int = 1, **options) -> Path:
    pictures = [Image.new("RGB", (30, 20), (40 * index, 0, 0)) for index in range(frames)]
    pictures[0].save(
        path, **({"save_all": True, "append_images": pictures[1:], "duration": 100} if frames > 1 else {}), **options
    )
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp"])
def test_a_still_picture_is_no_video(tmp_path, name):
    text = shown(picture(tmp_path / name))
    assert text.startswith("picture file: ") and "picture: 20x30 pixels, " in text and "frames" not in text


def test_pictures_that_move_are_videos_and_a_webp_cannot_be_read_as_one(tmp_path):
    assert "video: 20x30 pixels, 10 frames/s, 3 frames" in shown(picture(tmp_path / "a.gif", 3))
    assert "moving picture: 20x30 pixels, WEBP, 3 frames" in shown(picture(tmp_path / "a.webp", 3))


def test_a_turned_picture_has_its_upright_size(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert "picture: 30x20 pixels, JPEG" in shown(picture(tmp_path / "a.jpg", exif=exif))


def test_the_folder_of_a_run_names_its_bundle(place, tmp_path):
    run = tmp_path / "my run"
    run.mkdir()
    (run / "plan.json").write_text("{}")
    with pytest.raises(BundleError, match=r"got .*my run, the folder of a run, which has made no bundle yet"):
        describe(str(run))
    shutil.copytree(place / "tokenizer", run / "tokenizer" / "bundle")
    with pytest.raises(
        BundleError, match=r"the folder of a run; wanted its bundle: `framecast info '.*my run/tokenizer/bundle'`"
    ):
        describe(str(run))
    shutil.copytree(place / "bundle", run / "bundle")
    with pytest.raises(BundleError, match=r"the folder of a run; wanted its bundle: `framecast info '.*my run/bundle'`"):
        describe(str(run))


def test_a_folder_of_videos_says_what_can_be_done_with_it(place, tmp_path):
    (tmp_path / "kitchen").mkdir()
    shutil.copy(place / "video.mp4", tmp_path / "kitchen" / "b.mp4")
    with pytest.raises(
        BundleError, match=r"a folder of videos; .* one video: `framecast info .*kitchen/b.mp4`; .*train .*dry_run"
    ):
        describe(str(tmp_path))


def damaged(place: Path, name: str, tmp_path: Path) -> Path:
    data = bytearray((place / name).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


@pytest.mark.parametrize(("name", "error"), [("tokens.fct", TokenFileError), ("stream.snapshot", SnapshotError)])
def test_a_damaged_file_is_named(place, tmp_path, name, error):
    with pytest.raises(error, match=r"damaged|whole"):
        describe(str(damaged(place, name, tmp_path)))


def test_a_damaged_bundle_is_named(tmp_path):
    folder = tiny_bundle.save(tmp_path / "bundle")
    (folder / "lm.safetensors").write_bytes(b"cut")
    with pytest.raises(BundleError, match=r"lm.safetensors is damaged: its size is not the manifest's"):
        describe(str(folder))


def test_what_is_none_of_these_says_what_to_do(place, tmp_path):
    with pytest.raises(ValueError, match=r"one file of a bundle; wanted its folder: `framecast info .*bundle`"):
        describe(str(place / "bundle" / "lm.safetensors"))
    (tmp_path / "last.ckpt").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(ValueError, match=r"is a checkpoint .*`framecast export .*last.ckpt --out FOLDER`"):
        describe(str(tmp_path / "last.ckpt"))
    with pytest.raises(ValueError, match=r"cannot be read \(No such file"):
        describe(str(tmp_path / "nothing"))
    with pytest.raises(BundleError, match=r"no bundle: it has no config.json"):
        describe(str(tmp_path))
