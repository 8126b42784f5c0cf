"""Captions of a folder: who writes what, what is kept, and what happens after a stop."""

import json
import math
import sys
import types
from importlib.util import find_spec

import numpy as np
import pytest
from video_folders import write_captions, write_clip

from framecast.data import VideoError, VideoFolder, write_video
from framecast.data.caption_lines import TimedText
from framecast.data.captioning import Captioner, CaptionerError, CaptionFile, caption_folder, captioner_of, watch
from framecast.data.captioning.captioners import most_alike


class Fixed(Captioner):
    name = "rules"

    def __init__(self, stops_at: str = ""):
        self.asked, self._stops_at = [], stops_at

    def captions(self, path):
        self.asked.append(path.name)
        if path.name == self._stops_at:
            raise KeyboardInterrupt
        if path.name == "bad.mp4":
            raise VideoError(f"{path} is damaged; copy it again")
        return [TimedText(0.0, math.inf, f"what {path.name} shows")]


@pytest.fixture
def folder(tmp_path):
    for name in ("a.mkv", "b.mkv", "in/c.mkv"):
        write_clip(tmp_path / name, 12)
    (tmp_path / "bad.mp4").write_text("no video")
    return tmp_path


def by_of(folder) -> dict[str, str]:
    captions = CaptionFile(folder)
    return {file: captions.line(file).by for file in captions.files}


def test_every_video_gets_captions_and_bad_ones_are_named(folder):
    done = caption_folder(folder, captioner_of(None))
    assert set(done.files) == {"a.mkv", "b.mkv", "in/c.mkv"} and done.skipped["bad.mp4"].startswith("bad.mp4 ")
    assert set(by_of(folder).values()) == {"rules"}
    clips = VideoFolder(folder, num_frames=5, size=16, fps=10.0)
    assert len(clips) == 6 and all(clip.captions[0].text for clip in clips)


def test_what_is_there_is_kept(folder):
    write_captions(folder, {"file": "b.mkv", "caption": "mine"}, {"file": "a.mkv", "caption": ""})
    captioner = Fixed()
    done = caption_folder(folder, captioner, include="*.mkv")
    assert captioner.asked == ["a.mkv", "c.mkv"] and done.kept == {"b.mkv": ""} and done.copy is None


def test_overwrite_takes_all_but_what_was_written_by_hand_and_keeps_a_copy(folder):
    lines = [
        {"file": f"{name}.mkv", "caption": name} | ({"by": by} if by else {})
        for name, by in (("a", "hand"), ("b", ""), ("in/c", "model:x"))
    ]
    write_captions(folder, *lines)
    before = (folder / "captions.jsonl").read_bytes()
    done = caption_folder(folder, Fixed(), include="*.mkv", overwrite=True)
    assert by_of(folder) == {"a.mkv": "hand", "b.mkv": "rules", "in/c.mkv": "rules"}
    assert done.kept == {"a.mkv": "hand"} and done.copy.read_bytes() == before


def test_a_stop_keeps_what_was_done_and_the_next_call_goes_on(folder):
    with pytest.raises(KeyboardInterrupt):
        caption_folder(folder, Fixed("c.mkv"), include="*.mkv")
    assert list(by_of(folder)) == ["a.mkv", "b.mkv"]
    again = Fixed()
    caption_folder(folder, again, include="*.mkv")
    assert again.asked == ["c.mkv"] and len(by_of(folder)) == 3


def test_what_a_person_wrote_meanwhile_stays(folder):
    class Slow(Fixed):
        def captions(self, path):
            CaptionFile(folder).change({"a.mkv": ([TimedText(0.0, 1.0, "mine")], "hand")}, lambda line: True)
            return super().captions(path)

    done = caption_folder(folder, Slow(), include="a.mkv")
    assert by_of(folder) == {"a.mkv": "hand"} and done.kept == {"a.mkv": "hand"} and done.files == {}


@pytest.mark.parametrize(("include", "message"), [("none*", "no video below")])
def test_nothing_to_caption_is_said(folder, include, message):
    with pytest.raises(ValueError, match=message):
        caption_folder(folder, Fixed(), include)
    with pytest.raises(ValueError, match="is not a folder"):
        caption_folder(folder / "none", Fixed())


def test_shots_are_split_at_cuts_and_say_when(tmp_path):
    rng = np.random.default_rng(0)
    shots = [np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(2)]
    write_video(tmp_path / "cut.mkv", np.stack([shots[0]] * 24 + [shots[1]] * 36), 12.0)
    found = [(shot.start, shot.end) for shot in watch(tmp_path / "cut.mkv")]
    assert found == [(0.0, 2.0), (2.0, 5.0)]


TOLD = {
    "words": lambda frames, fps: f"{frames.dtype} {frames.ndim} {fps:g}",
    "entries": lambda frames, fps: [{"start": 0, "end": 0.5, "text": "one"}, {"start": 0.5, "text": "two"}],
    "wrong": lambda frames, fps: [{"begin": 0}],
    "fails": lambda frames, fps: 1 / 0,
}


def own(name: str):
    module = types.ModuleType("own_captions")
    vars(module).update(TOLD)
    sys.modules["own_captions"] = module
    return captioner_of(f"own_captions:{name}")


@pytest.fixture
def still(tmp_path):
    write_video(tmp_path / "still.mkv", np.repeat(write_clip(tmp_path / "x.mkv", 1), 12, axis=0), 10.0)
    return tmp_path / "still.mkv"


def test_a_function_is_told_frames_and_their_rate(still):
    captioner = own("words")
    assert captioner.name == "model:own_captions:words"
    assert [text.text for text in captioner.captions(still)] == ["uint8 4 4"]


def test_a_function_may_tell_a_timeline(still):
    assert [(text.start, text.text) for text in own("entries").captions(still)] == [(0.0, "one"), (0.5, "two")]


@pytest.mark.parametrize(("name", "message"), [("wrong", "wanted a text, or a list"), ("fails", "ZeroDivisionError")])
def test_a_function_that_fails_is_named(folder, name, message):
    with pytest.raises(CaptionerError, match=message):
        own(name).captions(folder / "a.mkv")


@pytest.mark.parametrize("name", ["none", "no_such_module:f", "json:none", "json:__name__", "transformers:/no/such/folder"])
def test_a_captioner_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="got "):
        captioner_of(name)


def test_the_text_that_agrees_with_the_others_is_taken():
    assert most_alike(["a dog runs", "a dog runs on grass.", "blue sky"]) in ("a dog runs", "a dog runs on grass")


@pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed: pip install '.[caption]'")
def test_a_local_model_describes_and_the_rules_say_how_it_moves(folder, tmp_path_factory):
    name = tmp_path_factory.mktemp("model") / "tiny"
    save_tiny_blip(name)
    captioner = captioner_of(f"transformers:{name}")
    assert captioner.name == "model:tiny"
    (text,) = captioner.captions(folder / "a.mkv")[:1]
    assert text.text and captioner.captions(folder / "a.mkv")[0] == text
    (name / "model.safetensors").rename(name / "pytorch_model.bin")
    with pytest.raises(ValueError, match="cannot be used"):
        captioner_of(f"transformers:{name}")


def save_tiny_blip(path) -> None:
    import torch
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

    path.mkdir()
    words = [*"[PAD] [UNK] [CLS] [SEP] [MASK] [DEC] [ENC]".split(), *"a red dog runs in the street".split()]
    (path / "vocab.txt").write_text("\n".join(words))
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "projection_dim": 16}
    ids = {"bos_token_id": 5, "eos_token_id": 3, "pad_token_id": 0, "sep_token_id": 3, "vocab_size": len(words)}
    vision = small | {"image_size": 32, "patch_size": 16}
    torch.manual_seed(0)
    config = BlipConfig(text_config=small | ids | {"encoder_hidden_size": 16}, vision_config=vision, projection_dim=16)
    BlipForConditionalGeneration(config).save_pretrained(path)
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(processor, BertTokenizer(vocab=str(path / "vocab.txt"))).save_pretrained(path)


def test_lines_are_json_of_plain_values(folder):
    caption_folder(folder, captioner_of(None), include="a.mkv")
    (line,) = (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    assert set(json.loads(line)) == {"file", "captions", "by"}
