"""Values of wrong kinds: each public call answers them with a message, and numbers of numpy are numbers."""

from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
import torch

import framecast
from framecast.data import (
    SpriteWorld,
    Timeline,
    VideoFolder,
    contact_sheet,
    fit_frames,
    probe_video,
    read_video,
    write_video,
)
from framecast.sample import SnapshotError, StreamBatch, read_tokens

PROMPT = "a red circle moves right"
FRAMES = tiny_bundle.frames(5)
NO_PATH = [2.5, 3, b"x", [1]]
NO_NUMBER = ["2", [1], {}, Path("x"), np.zeros(3), torch.zeros(2)]


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("kinds") / "video.mkv"
    write_video(path, FRAMES, 12.0)
    return path


@pytest.mark.parametrize("value", NO_PATH)
@pytest.mark.parametrize(
    "call",
    [
        framecast.load_generator,
        framecast.load_bundle,
        lambda value: framecast.save_bundle(value, tiny_bundle.tokenizer(), video=tiny_bundle.VIDEO),
        read_video,
        probe_video,
        read_tokens,
        VideoFolder,
        lambda value: write_video(value, FRAMES, 12.0),
        lambda value: tiny_bundle.generator().generate(PROMPT, 1).save(value),
        lambda value: tiny_bundle.generator().stream(PROMPT).record(value),
    ],
)
def test_what_is_no_path_is_refused(call, value):
    with pytest.raises(ValueError, match=r"got .* as (a|the) [a-z' ]+; wanted a path, as a text or a `Path`"):
        call(value)


@pytest.mark.parametrize("value", NO_NUMBER)
@pytest.mark.parametrize(
    "name", ["num_frames", "fps", "size", "start", "every", "slots", "reanchor", "length", "step", "sprites"]
)
def test_what_is_no_number_is_refused(video, name, value):
    calls = {
        "num_frames": lambda: read_video(video, num_frames=value),
        "fps": lambda: read_video(video, fps=value),
        "size": lambda: read_video(video, size=value if value != [1] else [1, 2, 3]),
        "start": lambda: read_video(video, start=value),
        "every": lambda: contact_sheet([FRAMES], every=value),
        "slots": lambda: StreamBatch(tiny_bundle.generator(), value),
        "reanchor": lambda: tiny_bundle.generator().stream(PROMPT, reanchor_every=value),
        "length": lambda: tiny_bundle.generator().generate(PROMPT, value),
        "step": lambda: VideoFolder(video.parent, num_frames=5, step=value),
        "sprites": lambda: SpriteWorld(fps=value),
    }
    if name == "size" and isinstance(value, (np.ndarray, torch.Tensor)):
        value = {}
    with pytest.raises(ValueError, match="want"):
        calls[name]()


def test_numbers_of_numpy_are_numbers(video, tmp_path):
    one, five = np.int64(1), np.int32(5)
    part = read_video(video, num_frames=five, fps=np.float32(12), size=(np.int64(16), np.int64(24)), start=np.float64(0))
    assert torch.equal(part.frames, FRAMES)
    write_video(tmp_path / "again.mkv", FRAMES, np.float32(12))
    assert len(VideoFolder(video.parent, num_frames=five, size=np.int64(16), fps=np.float32(12), step=five)) == 1
    generator = tiny_bundle.generator()
    clip = generator.generate(PROMPT, five, one, temperature=np.float32(0.5), top_k=np.int64(5))
    assert torch.equal(clip.tokens, generator.generate(PROMPT, 5, 1, {"temperature": 0.5, "top_k": 5}).tokens)
    assert StreamBatch(generator, np.int64(2)).free == 2
    assert generator.stream(PROMPT, reanchor_every=np.int64(3)).state.anchor.every == 3
    assert contact_sheet([FRAMES], every=np.int64(2), scale=one).width > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: g.stream(PROMPT).set_prompt(None), "got None as a prompt; wanted a text"),
        (lambda g: g.stream(PROMPT).set_prompt([PROMPT]), "as a prompt; wanted a text, which holds at once"),
        (lambda g: g.stream(PROMPT).branch(3), r"got seeds 3; wanted a list of whole numbers, .* such as \[1, 2\]"),
        (lambda g: g.stream(PROMPT).branch(["1"]), "got seed '1'; wanted a whole number"),
        (lambda g: g.stream([(None, PROMPT)]), r"got \[\(None, .* as prompts; wanted pairs of seconds and text"),
        (lambda g: Timeline.of(3), "got 3 as prompts; wanted pairs"),
        (lambda g: StreamBatch(g, 2).join([g.stream(PROMPT)]), "to join; wanted streams of a generator, each by itself"),
        (lambda g: StreamBatch(g, 2).leave(None), "got a stream to leave that is not in this batch"),
        (lambda g: g.stream(PROMPT, reanchor_every="2"), "got reanchor_every '2'; wanted a whole number of latent frames"),
        (lambda g: contact_sheet(3), "got no rows; a contact sheet wants at least one video"),
        (lambda g: contact_sheet([FRAMES], labels=[1]), r"got labels \[1\]; wanted a text for each row"),
        (lambda g: fit_frames(FRAMES, "64"), r"got size '64'; wanted \(rows, columns\) or one number"),
        (lambda g: VideoFolder("x", include=3), "x is not a folder"),
        (
            lambda g: framecast.save_bundle("x", tiny_bundle.tokenizer(), video={"height": 16}),
            "without width, fps; wanted a dict of height, width, fps",
        ),
        (
            lambda g: framecast.save_bundle("x", tiny_bundle.tokenizer(), video={**tiny_bundle.VIDEO, "fps": "12"}),
            "got video fps '12'; wanted a number above 0",
        ),
    ],
)
def test_other_wrong_kinds_are_answered(call, message):
    with pytest.raises(ValueError, match=message):
        call(tiny_bundle.generator())


@pytest.mark.parametrize("value", [None, 3, "text", Path("x")])
def test_what_is_no_snapshot_is_refused(value):
    with pytest.raises(SnapshotError, match=r"got no whole snapshot: .* in place of bytes"):
        tiny_bundle.generator().restore(value)
