"""The command line: what it makes, what it says, and one line of error with exit code 2 for what a user can mend."""

import argparse
import io
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import tiny
import tiny_bundle
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import framecast
from framecast import __version__, live
from framecast.cli import build_parser, main
from framecast.commands import demo
from framecast.data import read_video, write_video
from framecast.evaluate import QUICK, Settings
from framecast.generating import params_of
from framecast.requests import given_or_fresh
from framecast.sample import Clip, SamplingParams, load_generator, read_tokens
from framecast.serve.server.config import ServeConfig
from framecast.tokenizer import FSQ

REPO = Path(__file__).resolve().parents[2]
PROMPT = "a red circle moves right"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with bundles, a tokenizer's bundle, a video and its tokens, and a file that is none."""
    place = tmp_path_factory.mktemp("place")
    write_video(place / "video.mkv", tiny_bundle.frames(22), 12.0)
    tiny_bundle.save(place / "bundle")
    tiny_bundle.save(place / "tokenizer", lm=None, text_tokenizer=None)
    tiny_bundle.save(place / "other", tokenizer=tiny.randomise(tiny.tokenizer(FSQ((3, 4, 5))), 7))
    for bundle, name in (("bundle", "tokens.fct"), ("other", "other.fct")):
        main(["encode", str(place / "video.mkv"), "--bundle", str(place / bundle), "--out", str(place / name)])
    damaged = tiny_bundle.save(place / "damaged")
    (damaged / "lm.safetensors").write_bytes(b"cut")
    (place / "text.mp4").write_text("no video")
    Image.fromarray(tiny_bundle.frames(1)[0].numpy()).save(place / "picture.png")
    video = (place / "video.mkv").read_bytes()
    (place / "cut.mkv").write_bytes(video[: len(video) * 3 // 4])
    return place


@pytest.fixture
def run(place, tmp_path, monkeypatch, capsys):
    """Runs a command beside the files of `place`, in an empty folder; returns the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for file in place.iterdir():
        (tmp_path / file.name).symlink_to(file)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    return run


def sample(*arguments: str, out: str = "out.mkv") -> list[str]:
    return ["sample", PROMPT, "--num_frames", "9", "--bundle", "bundle", "--out", out, *arguments]


def go_on(*arguments: str, out: str = "out.mkv") -> list[str]:
    return ["continue", "video.mkv", "--prompt", PROMPT, "--bundle", "bundle", "--out", out, *arguments]


def reconstruct(*arguments: str, video: str = "video.mkv", out: str = "out.mkv") -> list[str]:
    return ["reconstruct", video, "--bundle", "bundle", "--out", out, *arguments]


def test_sample_writes_the_clip_that_python_gives(run):
    code, out, err = run(*sample("--seed", "4", "--temperature", "1.1", "--top_k", "30", "--decoding", "frame"))
    assert code == 0 and "Traceback" not in err
    assert out.startswith("out.mkv: 9 frames, ") and out.rstrip().endswith(" frames/s, seed 4") and out.count("\n") == 1
    params = SamplingParams(temperature=1.1, top_k=30, decoding="frame")
    video = read_video("out.mkv")
    assert torch.equal(video.frames, tiny_bundle.generator().generate(PROMPT, 9, 4, params).frames)
    assert video.fps == 12.0


def test_sample_computes_as_exactly_as_it_is_told(run):
    assert run(*sample("--dtype", "bfloat16", "--device", "cpu"))[0] == 0
    expected = load_generator("bundle", "cpu", torch.bfloat16).generate(PROMPT, 9)
    assert torch.equal(read_video("out.mkv").frames, expected.frames)


@pytest.mark.parametrize("arguments", [sample("--compile"), go_on("--compile"), ["stream", PROMPT, "--compile"]])
def test_a_machine_that_cannot_compile_is_told_what_it_lacks(run, monkeypatch, arguments):
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, _, err = run(*arguments)
    assert code == 2 and "got compile and a machine without the C++ compiler no-such-compiler" in err


def test_sample_repeats_from_its_seed(run):
    for out, seed in (("a.mkv", "0"), ("b.mkv", "0"), ("c.mkv", "1")):
        assert run(*sample("--seed", seed, out=out))[0] == 0
    assert torch.equal(read_video("a.mkv").frames, read_video("b.mkv").frames)
    assert not torch.equal(read_video("a.mkv").frames, read_video("c.mkv").frames)


def test_the_defaults_are_those_of_python():
    arguments = build_parser().parse_args(["sample", PROMPT, "--out", "x.mkv"])
    assert params_of(arguments) == {}


@pytest.mark.parametrize(("text", "value"), [("token", "token"), ("3", 3), ("6", 6)])
def test_a_block_length_may_be_a_number(text, value):
    arguments = build_parser().parse_args(["sample", PROMPT, "--out", "x.mkv", "--decoding", text])
    assert params_of(arguments) == {"decoding": value}


def test_continue_adds_frames_to_the_end_of_a_video(run):
    code, out, _ = run(*go_on("--num_frames", "8", "--given_frames", "5"))
    assert code == 0 and out.startswith("out.mkv: 13 frames, ")
    clip = tiny_bundle.generator().generate(PROMPT, 13, 0, first_frames=tiny_bundle.frames(22)[-5:])
    assert torch.equal(read_video("out.mkv").frames, clip.frames)


def test_reconstruct_shows_both_and_says_how_good(run):
    code, out, _ = run(*reconstruct())
    assert code == 0
    both = read_video("out.mkv").frames
    assert both.shape == (21, 16, 48, 3)  # 22 frames are 1 + 4k and one too many
    left, right = both.split(24, dim=2)
    tokenizer = tiny_bundle.tokenizer()
    tokens = tokenizer.encode((left.permute(3, 0, 1, 2)[None] / 127.5) - 1)[0]
    assert torch.equal(left, tiny_bundle.frames(22)[:21])
    decoded = tiny_bundle.generator().decode(tokens)
    assert (right.int() - decoded.int()).abs().max() <= 1  # chunks of another length are rounded in another order
    quality = peak_signal_noise_ratio(left.numpy(), right.numpy(), data_range=255)
    bits = 6 * 6 * 5.906891 / (21 * 16 * 24)  # log2(60) a token
    assert out == f"out.mkv: 21 frames, PSNR {quality:.2f} dB, {bits:.4f} bits per pixel\n"


@pytest.mark.parametrize(
    "command",
    [
        ["encode", "cut.mkv", "--bundle", "bundle", "--out", "out.fct"],
        ["reconstruct", "cut.mkv", "--bundle", "bundle", "--out", "out.mkv"],
        [
            "continue",
            "cut.mkv",
            "--bundle",
            "bundle",
            "--prompt",
            PROMPT,
            "--given_frames",
            "9",
            "--num_frames",
            "8",
            "--out",
            "out.mkv",
        ],
    ],
)
def test_a_damaged_video_is_used_as_far_as_it_goes_and_that_is_said(run, command):
    code, _, said = run(*command)
    assert code == 0 and "cut.mkv is damaged: the file ends after" in said and "; used the 1" in said


def test_reconstruct_needs_no_lm_and_reads_as_much_as_it_is_told(run):
    assert run(*reconstruct("--bundle", "tokenizer", "--num_frames", "5"))[0] == 0
    assert len(read_video("out.mkv").frames) == 5


def test_tokens_there_and_back(run):
    code, out, _ = run("encode", "video.mkv", "--bundle", "tokenizer", "--out", "out.fct")
    assert code == 0 and out.startswith("out.fct: 6 latent frames, ") and "bits per pixel" in out and "kB per second" in out
    tokens = read_tokens("out.fct").tokens
    assert torch.equal(tokens, tiny_bundle.generator().encode(tiny_bundle.frames(22)[:21]))
    code, out, _ = run("decode", "out.fct", "--bundle", "bundle", "--out", "out.mkv")
    assert code == 0 and out.startswith("out.mkv: 21 frames, ")
    assert torch.equal(read_video("out.mkv").frames, tiny_bundle.generator().decode(tokens))


def test_a_sample_s_tokens_are_continued_as_if_it_had_never_stopped(run):
    prompt = f"{PROMPT}; at 0.5s a ring falls"
    assert run("sample", prompt, "--num_frames", "13", "--bundle", "bundle", "--out", "a.fct")[0] == 0
    assert run("sample", prompt, "--num_frames", "21", "--bundle", "bundle", "--out", "b.fct")[0] == 0
    assert read_tokens("a.fct").prompts == ((0, PROMPT), (2, "a ring falls"))
    code, out, _ = run("continue", "a.fct", "--num_frames", "8", "--prompt", prompt, "--bundle", "bundle", "--out", "c.fct")
    assert code == 0 and "c.fct: 21 frames" in out
    assert torch.equal(read_tokens("c.fct").tokens, read_tokens("b.fct").tokens)
    assert run("continue", "a.fct", "--bundle", "bundle", "--out", "d.mkv")[0] == 0  # under the prompt that held last
    assert len(read_video("d.mkv").frames) == 13 + 16


@pytest.mark.parametrize("name", ["out.mp4", "out.y4m", "out.fct"])
def test_stream_writes_what_python_streams(run, monkeypatch, name):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, out, err = run("stream", PROMPT, "--seconds", "1.5", "--seed", "4", "--bundle", "bundle", "--out", name)
    assert (code, out) == (0, "") and "18 frames, " in err and "frames/s" in err and "MiB" in err
    expected = tiny_bundle.generator().generate(PROMPT, 21, 4)
    if name.endswith(".fct"):
        assert torch.equal(read_tokens(name).tokens, expected.tokens)
        return
    video = read_video(name)
    assert video.fps == 12.0 and len(video.frames) == 18
    right, wrong = (
        (video.frames.float() - frames[:18].float()).abs().mean() for frames in (expected.frames, expected.frames.flip(0))
    )
    assert right < (2 if name.endswith(".y4m") else wrong - 10)  # these frames are noise, of which H.264 keeps little


def test_stream_writes_y4m_to_a_pipe(place):
    command = [
        sys.executable,
        "-m",
        "framecast",
        "stream",
        PROMPT,
        "--seconds",
        "0.75",
        "--bundle",
        str(place / "bundle"),
        "--out",
        "-",
    ]
    done = subprocess.run(command, cwd=REPO, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    header, *frames = done.stdout.split(b"FRAME\n")
    assert header == b"YUV4MPEG2 W24 H16 F12:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n"
    assert [len(frame) for frame in frames] == [3 * 16 * 24] * 9


@contextmanager
def standard_input(monkeypatch, data: bytes, is_terminal: bool = False):
    """Puts bytes on standard input, of which there are no more; yields the end that reads them."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    with open(reading) as file:
        monkeypatch.setattr(file, "isatty", lambda: is_terminal) if is_terminal else None
        monkeypatch.setattr(sys, "stdin", file)
        yield file


@pytest.mark.parametrize(("options", "is_terminal"), [(["--prompts", "-"], False), ([], True)])
def test_typing_steers_a_stream(run, monkeypatch, options, is_terminal):
    pump = live._pump

    def all_read(stream, write, last, lines, *rest):
        while lines.qsize() < 2:
            time.sleep(0.01)
        pump(stream, write, last, lines, *rest)

    monkeypatch.setattr(live, "_pump", all_read)
    with standard_input(monkeypatch, f"\n\xff ring\na ring falls\n{PROMPT * 20}".encode("latin-1"), is_terminal):
        code, _, err = run("stream", PROMPT, "--seconds", "1", "--bundle", "bundle", "--out", "out.fct", *options)
    said = " ".join(err.split())
    assert code == 0 and "wanted at most 24" in said and "got the line b'\\xff ring', which is no UTF-8" in said
    assert read_tokens("out.fct").prompts == ((0, PROMPT), (1, "a ring falls"))  # and not the one that is too long


def test_a_stream_leaves_standard_input_to_others(run, monkeypatch):
    with standard_input(monkeypatch, b"a ring falls\n") as file:
        code, *_ = run("stream", PROMPT, "--seconds", "1", "--bundle", "bundle", "--out", "out.fct")
        assert file.readline() == "a ring falls\n"
    assert code == 0 and read_tokens("out.fct").prompts == ((0, PROMPT),)


def test_a_prompt_like_markup_is_shown_as_it_is(run):
    code, _, err = run("stream", "a [/red] ring", "--seconds", "0.5", "--bundle", "bundle")
    assert code == 0 and "Traceback" not in err


def test_without_out_a_new_file_is_named_after_the_prompt_or_the_input(run):
    name = "a_red_circle_moves_right_at_0_3s_a_ring_falls"
    for expected in (name, f"{name}_2", f"{name}_3"):
        code, out, _ = run("sample", f"{PROMPT}; at 0.3s a ring falls", "--num_frames", "5", "--bundle", "bundle")
        assert code == 0 and out.startswith(f"{expected}.mp4: 5 frames, ") and Path(f"{expected}.mp4").is_file()
    for command, expected in (
        (["continue", "video.mkv", "--prompt", PROMPT, "--num_frames", "4"], "video_continued.mp4"),
        (["animate", "picture.png", "--prompt", PROMPT, "--num_frames", "5"], "picture_animated.mp4"),
        (["encode", "video.mkv"], "video.fct"),
        (["decode", "video.fct"], "video.mp4"),
        (["decode", "video.fct"], "video_2.mp4"),
        (["reconstruct", "video.mkv"], "video_reconstructed.mp4"),
    ):
        code, out, _ = run(*command, "--bundle", "bundle")
        assert code == 0 and out.startswith(f"{expected}: ") and Path(expected).is_file()


def test_names_of_files_hold_letters_of_any_script_and_are_short(run):
    assert given_or_fresh(None, "a \u00e9toile/..; \u4e00?") == "a_\u00e9toile_\u4e00.mp4"
    assert given_or_fresh(None, "../../") == "video.mp4" and given_or_fresh("x.gif", PROMPT) == "x.gif"
    assert len(given_or_fresh(None, "word " * 99)) <= 64


def test_several_prompts_make_a_clip_each(run):
    both = [PROMPT, "a ring falls"]
    clips = tiny_bundle.generator().generate(both, 5, 3)
    code, out, _ = run("sample", *both, "--num_frames", "5", "--seed", "3", "--bundle", "bundle", "--out", "out.mkv")
    assert code == 0 and out.startswith(f"out_1.mkv: {PROMPT}\nout_2.mkv: a ring falls\n2 clips of 5 frames, ")
    for number, clip in enumerate(clips, 1):
        assert torch.equal(read_video(f"out_{number}.mkv").frames, clip.frames)
    assert run("sample", *both, "--num_frames", "5", "--seed", "3", "--bundle", "bundle", "--out", "out.fct")[0] == 0
    for number, clip in enumerate(clips, 1):
        assert torch.equal(read_tokens(f"out_{number}.fct").tokens, clip.tokens)
    assert run("sample", *both, "--num_frames", "5", "--bundle", "bundle")[0] == 0
    assert Path("a_red_circle_moves_right.mp4").is_file() and Path("a_ring_falls.mp4").is_file()


def test_a_sheet_is_asked_for_by_its_name(run):
    code, out, _ = run("sample", PROMPT, "a ring falls", "--num_frames", "5", "--bundle", "bundle", "--out", "x.sheet.png")
    assert code == 0 and out.startswith("x.sheet.png: 2 clips of 5 frames, ") and not list(Path().glob("x_*"))
    two = Image.open("x.sheet.png")
    for command in (sample(), go_on(), reconstruct(), ["decode", "tokens.fct", "--bundle", "bundle", "--out", ""]):
        name = f"{command[0]}.sheet.png"
        code, out, _ = run(*command[:-1], name)
        assert code == 0 and out.startswith(f"{name}: ") and Image.open(name).height < two.height


def test_a_negative_prompt_is_that_of_python(run):
    assert run(*sample("--negative_prompt", "a ring falls", out="out.fct"))[0] == 0
    params = SamplingParams(negative_prompt="a ring falls")
    made = read_tokens("out.fct")
    assert made.header.params == params
    assert torch.equal(made.tokens, tiny_bundle.generator().generate(PROMPT, 9, params=params).tokens)


def test_animate_makes_the_video_that_python_makes(run):
    code, out, err = run(
        "animate", "picture.png", "--prompt", PROMPT, "--num_frames", "9", "--seed", "2", "--bundle", "bundle", "--out", "out.mkv"
    )
    assert code == 0 and out.startswith("out.mkv: 9 frames, ") and out.endswith("seed 2\n")
    assert "warning: the tokenizer of this model shows this video with" in err and "framecast train my_videos" in err
    expected = tiny_bundle.generator().animate("picture.png", PROMPT, 9, 2)
    assert torch.equal(read_video("out.mkv").frames, expected.frames)
    same = tiny_bundle.generator().generate(PROMPT, 9, 2, first_frames=tiny_bundle.frames(1))
    assert torch.equal(expected.tokens, same.tokens)


@pytest.mark.parametrize(("keep", "length"), [("all", 22 + 8), ("given", 5 + 8), ("none", 8)])
def test_continue_keeps_as_much_as_it_is_told(run, keep, length):
    code, out, _ = run(*go_on("--num_frames", "8", "--given_frames", "5", "--keep", keep))
    assert code == 0 and out.startswith(f"out.mkv: {length} frames, ")
    frames = read_video("out.mkv").frames
    clip = tiny_bundle.generator().generate(PROMPT, 13, 0, first_frames=tiny_bundle.frames(22)[-5:])
    whole = torch.cat([tiny_bundle.frames(22)[:-5], clip.frames])
    assert torch.equal(frames, whole[-length:])


def test_all_of_a_token_file_is_all_that_is_given(run):
    arguments = ["continue", "tokens.fct", "--prompt", PROMPT, "--num_frames", "4", "--bundle", "bundle", "--out"]
    for keep, length in (("all", 25), ("given", 25), ("none", 4)):
        assert run(*arguments, "out.mkv", "--keep", keep)[0] == 0
        assert len(read_video("out.mkv").frames) == length
    assert run(*arguments, "out.fct", "--keep", "all")[0] == 0


@pytest.mark.parametrize("command", [go_on(), reconstruct(), ["encode", "video.mkv", "--bundle", "bundle", "--out", "o.fct"]])
def test_a_video_that_the_tokenizer_does_not_know_is_said(run, command):
    code, _, err = run(*command)
    (line,) = [line for line in err.splitlines() if line.startswith("framecast: ")]  # the others say how far it is
    assert code == 0 and line.startswith("framecast: warning: the tokenizer of this model shows this video with ")
    assert line.endswith("dB: it was trained on SpriteWorld; train one on your own videos: framecast train my_videos")


def test_a_stream_that_is_kept_nowhere_says_so(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "nothing was kept: --out NAME.mp4" in run("stream", PROMPT, "--seconds", "0.5", "--bundle", "bundle")[2]


def test_unseen_words_are_said_in_one_line(run):
    code, _, err = run("sample", "a dog; at 0.5s a dog falls", *sample()[2:])
    start = 'framecast: warning: "dog": not in what this model was trained on, so it cannot know what is meant; it knows '
    said = [line for line in err.splitlines() if line.startswith("framecast: ")]  # the others say how far it is
    assert code == 0 and len(said) == 1 and said[0].startswith(start)


def test_a_failure_leaves_older_tokens_as_they_were(run, monkeypatch):
    assert run(*sample(out="out.fct"))[0] == 0
    before = Path("out.fct").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(live.Stream, "advance", interrupted)
    assert run(*sample(out="out.fct"))[0] == 130
    assert Path("out.fct").read_bytes() == before and not list(Path().glob(".out*"))


def test_ctrl_c_ends_a_stream_with_a_whole_file(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    count = live.Meter.count

    def interrupted(self, stream):
        count(self, stream)
        if self.frames == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(live.Meter, "count", interrupted)
    for name in ("out.mp4", "out.y4m"):
        code, _, err = run("stream", PROMPT, "--bundle", "bundle", "--out", name)
        assert code == 0 and "9 frames, " in err and "Traceback" not in err
        assert len(read_video(name).frames) == 9


def test_a_reader_that_goes_away_ends_a_stream(place):
    command = [sys.executable, "-m", "framecast", "stream", PROMPT, "--bundle", str(place / "bundle"), "--out", "-"]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        assert running.stdout.read(5) == b"YUV4M"
        running.stdout.close()
        _, err = running.communicate(timeout=120)
    assert running.returncode == 0 and b"the reader went away" in err and b"Traceback" not in err


def test_prompts_that_would_have_one_name_get_a_file_each(run):
    code, _, _ = run("sample", "a ring falls", "a ring falls!", "--num_frames", "5", "--bundle", "bundle")
    assert code == 0 and {"a_ring_falls.mp4", "a_ring_falls_2.mp4"} <= {path.name for path in Path().iterdir()}


def test_a_model_without_captions_needs_no_prompt(run, tmp_path):
    tiny_bundle.save(tmp_path / "silent", training={"steps": 7, "data": {"captioned": 0}})
    code, _, _ = run("continue", "video.mkv", "--bundle", "silent", "--num_frames", "8", "--out", "a.mkv")
    assert code == 0
    named = ["continue", "video.mkv", "--bundle", "silent", "--num_frames", "8", "--prompt", "a ring", "--guidance_scale", "0"]
    assert run(*named, "--out", "b.mkv")[0] == 0
    assert torch.equal(read_video("a.mkv").frames, read_video("b.mkv").frames)
    assert run("sample", "--bundle", "silent", "--num_frames", "9", "--out", "c.fct")[0] == 0
    said = run("replay", "c.fct", "--bundle", "silent")
    assert said[0] == 0 and "every token is the same" in said[1]
    assert run("stream", "--bundle", "silent", "--seconds", "0.5", "--out", "d.fct")[0] == 0
    assert read_tokens("c.fct").header.params.guidance_scale == 1  # one row, under the null prompt
    assert run("continue", "c.fct", "--bundle", "silent", "--num_frames", "4", "--out", "e.fct")[0] == 0
    code, _, err = run("continue", "video.mkv", "--bundle", "bundle")
    assert code == 2 and 'wanted to know what the video shows; add it: --prompt "what it shows"' in err


def test_a_model_of_one_caption_shows_it_if_nobody_says_another(run, tmp_path):
    tiny_bundle.save(tmp_path / "rings", training={"steps": 7, "captions": ["a ring falls"], "data": {"captioned": 9}})
    assert run("sample", "--bundle", "rings", "--num_frames", "5")[0] == 0
    assert run("sample", "a ring falls", "--bundle", "rings", "--num_frames", "5", "--out", "said.fct")[0] == 0
    assert run("sample", "--bundle", "rings", "--num_frames", "5", "--out", "own.fct")[0] == 0
    assert torch.equal(read_tokens("own.fct").tokens, read_tokens("said.fct").tokens)
    assert read_tokens("own.fct").prompts == ((0, "a ring falls"),)
    assert run("continue", "video.mkv", "--bundle", "rings", "--num_frames", "4", "--out", "on.fct")[0] == 0
    assert read_tokens("on.fct").prompts == ((0, "a ring falls"),)


def test_info_says_what_a_bundle_holds(run):
    code, out, _ = run("info", "bundle")
    assert code == 0
    for words in ("16x24 pixels, 12 frames/s", "FSQ, 60 codes", "4 frames, 8 pixels", "width 32, 2 layers", "2x3 in a latent"):
        assert words in out
    assert "1 sink and 2 latest latent frames" in out and "training steps" in out and "lm.safetensors" in out
    code, out, _ = run("info", "tokenizer")
    assert code == 0 and "FSQ" in out and "video LM" not in out


def test_demo_makes_clips_and_a_sheet(run, place, monkeypatch):
    monkeypatch.setattr("framecast.sample.load_generator", lambda: tiny_bundle.generator())
    monkeypatch.setattr(demo, "PROMPTS", (PROMPT, "a ring falls, then stops"))
    monkeypatch.setattr(demo, "NUM_FRAMES", 5)
    code, out, _ = run("demo", "--out", "deep/demo", "--seed", "3")
    assert code == 0 and out.startswith("2 clips of 5 frames in ") and "contact_sheet.png" in out
    names = {file.name for file in Path("deep/demo").iterdir()}
    assert names == {"0_a_red_circle_moves_right.mp4", "1_a_ring_falls_then_stops.mp4", "contact_sheet.png"}
    assert Image.open("deep/demo/contact_sheet.png").width > 48


OUT = ["--bundle", "bundle", "--out", "out.mkv"]
WRONG = {
    "no command": ([], "COMMAND"),
    "unknown command": (["fly"], "invalid choice: 'fly'"),
    "unknown option": (sample("--speed", "3"), "unrecognized arguments: --speed 3"),
    "no prompt": (
        ["sample", "--out", "out.mkv"],
        'got no prompt; wanted to know what the video shows; add it: framecast sample "what it shows"',
    ),
    "a prompt without quotes": (
        ["sample", *PROMPT.split(), "--out", "out.mkv"],
        'got 5 prompts, "a", "red" and so on, which look like one that the shell has split; put it in quotes: "a red circle',
    ),
    "a prompt without quotes to stream": (["stream", *PROMPT.split()], "which look like one that the shell has split"),
    "several prompts and a wrong name": (["sample", PROMPT, "a ring falls", "--out", "x.doc"], "got the output file x_1.doc;"),
    "a negative prompt and no guidance": (
        sample("--negative_prompt", "a ring", "--guidance_scale", "1"),
        'got negative_prompt "a ring" and guidance_scale 1; wanted a scale above 1',
    ),
    "animate without a prompt": (["animate", "picture.png", *OUT], "got picture.png and no --prompt; wanted to know"),
    "animate nothing": (["animate", "nowhere.png", "--prompt", PROMPT, *OUT], "nowhere.png does not exist; check the path"),
    "animate a video": (
        ["animate", "video.mkv", "--prompt", PROMPT, *OUT],
        "got 22 frames to animate; wanted one picture; `generate(..., first_frames=...)` continues a video",
    ),
    "animate a picture for no time": (
        ["animate", "picture.png", "--prompt", PROMPT, "--num_frames", "1", *OUT],
        "got num_frames 1 and 1 first frames; wanted more frames than are given",
    ),
    "keep what has no tokens": (go_on("--keep", "all", out="out.fct"), "got --keep all and the token file out.fct to write"),
    "keep nothing of tokens": (
        ["continue", "tokens.fct", "--prompt", PROMPT, "--keep", "none", "--bundle", "bundle", "--out", "out.fct"],
        "got --keep none and the token file",
    ),
    "two prompts to stream": (["stream", PROMPT, PROMPT], "got 2 prompts"),
    "a time that cannot be read": (["sample", f"{PROMPT}; later it stops", *sample()[2:]], 'got "later it stops" after a ";"'),
    "a prompt that is no text": (["sample", "a \udcff ring", *sample()[2:]], "wanted UTF-8"),
    "prompts from elsewhere": (["stream", PROMPT, "--prompts", "file.txt"], "argument --prompts: invalid choice: 'file.txt'"),
    "the same file in and out": (reconstruct(out="video.mkv"), "got video.mkv to read and to write"),
    "the same tokens in and out": (
        ["continue", "tokens.fct", "--prompt", PROMPT, "--bundle", "bundle", "--out", "tokens.fct"],
        "got tokens.fct to read and to write",
    ),
    "a negative seed": (sample("--seed", "-1"), "got seed -1; wanted a whole number from 0 to 2^63 - 1"),
    "a seed that is too large": (sample("--seed", str(2**70)), "wanted a whole number from 0 to 2^63 - 1"),
    "a length of another kind": (sample("--num_frames", "1e9"), "invalid int value: '1e9'"),
    "a length beyond memory": (sample("--num_frames", str(4 * 10**12 + 1)), "GiB of memory; `framecast stream` writes"),
    "a name that is too long": (sample(out="n" * 300 + ".mkv"), "File name too long"),
    "unknown bundle": (sample("--bundle", "nowhere"), "nowhere is no bundle"),
    "damaged bundle": (sample("--bundle", "damaged"), "damaged/lm.safetensors is damaged"),
    "damaged bundle in info": (["info", "damaged"], "damaged/lm.safetensors is damaged"),
    "a bundle without an LM": (sample("--bundle", "tokenizer"), "holds a tokenizer and no video LM"),
    "empty prompt": (["sample", "", *sample()[2:]], "got an empty prompt"),
    "long prompt": (["sample", PROMPT * 9, *sample()[2:]], "wanted at most 24"),
    "illegal length": (sample("--num_frames", "6"), "got a video of 6 frames; wanted 1 + 4k"),
    "no length": (sample("--num_frames", "0"), "got a video of 0 frames"),
    "a length that is no number": (sample("--num_frames", "many"), "argument --num_frames: invalid int value: 'many'"),
    "a seed that is no number": (sample("--seed", "x"), "argument --seed: invalid int value: 'x'"),
    "temperature": (sample("--temperature", "11"), "got temperature 11.0; wanted a number from 0 to 10"),
    "no number": (sample("--temperature", "nan"), "got temperature nan"),
    "top_k": (sample("--top_k", "0"), "got top_k 0"),
    "top_p": (sample("--top_p", "1.5"), "got top_p 1.5"),
    "guidance_scale": (sample("--guidance_scale", "-1"), "got guidance_scale -1.0"),
    "unknown block length": (sample("--decoding", "banana"), "got decoding 'banana'; wanted one of token, row, frame"),
    "no block length": (sample("--decoding", "0"), "got decoding 0"),
    "negative block length": (sample("--decoding", "-3"), "got decoding '-3'"),
    "a digit that is no number": (sample("--decoding", "²"), "got decoding '²'"),
    "illegal block length": (sample("--decoding", "4"), "got block_length 4; wanted one of 1, 3, 6"),
    "unknown device": (sample("--device", "abacus"), "got --device abacus; wanted one that is here: cpu"),
    "unknown precision": (sample("--dtype", "float8"), "argument --dtype: invalid choice: 'float8'"),
    "missing output folder": (sample(out="nowhere/out.mkv"), "the folder nowhere does not exist; make it first"),
    "unknown suffix": (sample(out="out.doc"), "got the output file out.doc; wanted the name of a file that ends in .mp4"),
    "no suffix": (sample(out="out"), "got the output file out;"),
    "a folder as output": (reconstruct(out="folder.mkv"), "got the output file folder.mkv;"),
    "missing video": (reconstruct(video="nowhere.mp4"), "nowhere.mp4 does not exist; check the path"),
    "a video that is none": (reconstruct(video="text.mp4"), "text.mp4 cannot be opened as a video"),
    "a folder as video": (reconstruct(video="bundle"), "bundle is not a file"),
    "a video shorter than asked": (reconstruct("--num_frames", "25"), "video.mkv has 22 frames"),
    "an illegal length to read": (reconstruct("--num_frames", "6"), "got a video of 6 frames; wanted 1 + 4k"),
    "nothing to add": (go_on("--num_frames", "0"), "got --num_frames 0; wanted a multiple of 4"),
    "less than nothing": (go_on("--num_frames", "-4"), "got --num_frames -4"),
    "no multiple": (go_on("--num_frames", "9"), "got --num_frames 9; wanted a multiple of 4"),
    "illegal given frames": (go_on("--given_frames", "4"), "got a video of 4 frames; wanted 1 + 4k"),
    "too many given frames": (
        go_on("--given_frames", "25"),
        "got video.mkv with 22 frames at 12 frames/s; wanted at least the 25",
    ),
    "continue nothing": (["continue", "nowhere.mkv", *go_on()[2:]], "nowhere.mkv does not exist"),
    "continue without a prompt": (["continue", "video.mkv", *OUT], "got video.mkv and no --prompt"),
    "tokens as a video": (["decode", "tokens.fct", "--bundle", "bundle", "--out", "out.fct"], "got the output file out.fct;"),
    "a video as tokens": (
        ["encode", "video.mkv", *OUT],
        "wanted the name of a file that ends in .fct",
    ),
    "no token file": (["decode", "video.mkv", *OUT], "video.mkv is no token file"),
    "another tokenizer's tokens": (["decode", "other.fct", *OUT], "got tokens of the tokenizer of 'other'"),
    "given frames of tokens": (["continue", "tokens.fct", "--given_frames", "5", *OUT], "got --given_frames for a token file"),
    "tokens without a prompt": (["continue", "tokens.fct", *OUT], "which knows no prompt, and no --prompt"),
    "no time": (
        ["stream", PROMPT, "--seconds", "0", *OUT],
        "wanted the name of a file that ends in .mp4, .y4m, .fct",
    ),
    "less than no time": (["stream", PROMPT, "--seconds", "-1"], "got --seconds -1; wanted a number above 0"),
    "a timeline out of order": (["stream", f"{PROMPT}; at 0s it stops"], "wanted the first at 0 and each later"),
    "no folder": (["demo", "--out", ""], "got an empty --out; wanted the name of a folder"),
    "a file as folder": (["demo", "--out", "text.mp4"], "File exists"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_line(run, tmp_path, case):
    (tmp_path / "folder.mkv").mkdir()
    before = set(tmp_path.rglob("*"))
    arguments, words = WRONG[case]
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("framecast: ") and err.endswith("\n") and err.count("\n") == 1, err
    assert words in err
    assert set(tmp_path.rglob("*")) == before


def test_an_error_of_the_system_is_one_line_too(run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "out.mkv")

    monkeypatch.setattr(Clip, "save", full)
    code, _, err = run(*sample())
    assert code == 2 and "No space left on device: 'out.mkv'" in err and err.strip().count("\n") == 0


def test_an_error_of_ours_keeps_its_traceback(run, monkeypatch):
    def broken(*_):
        raise TypeError("a bug")

    monkeypatch.setattr(Clip, "save", broken)
    with pytest.raises(TypeError, match="a bug"):
        run(*sample())


def test_interrupting_is_no_error_message(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Clip, "save", interrupted)
    code, _, err = run(*sample())
    assert code == 130 and "Traceback" not in err


def every_command() -> dict[str, argparse.ArgumentParser]:
    (action,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(action.choices)


def test_the_commands():
    assert list(every_command()) == [
        "train",
        "sample",
        "stream",
        "continue",
        "animate",
        "encode",
        "decode",
        "replay",
        "reconstruct",
        "record",
        "caption",
        "info",
        "export",
        "evaluate",
        "serve",
        "play",
        "bench",
        "demo",
    ]


@pytest.mark.parametrize(
    "command",
    "sample stream continue animate encode decode replay reconstruct record info evaluate serve play demo".split(),
)
def test_help_explains_every_option(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    for action in every_command()[command]._actions:
        name = action.option_strings[-1] if action.option_strings else action.dest
        assert name in shown and action.help and " ".join(action.help.split()) in shown, name
        if action.default not in (None, argparse.SUPPRESS):
            assert (
                f"(default: {action.default:g})" in shown
                if isinstance(action.default, float)
                else str(action.default) in action.help
            )


@pytest.mark.parametrize(
    ("command", "taker", "names"),
    [
        ("sample", SamplingParams(), ("temperature", "top_k", "top_p", "guidance_scale", "decoding")),
        ("evaluate", Settings(), ("clips", "long_clips", "long_frames", "seed")),
        ("serve", ServeConfig(), ("host", "port", "slots", "queue", "replicas")),
        ("play", ServeConfig(), ("host", "port")),
    ],
)
def test_help_says_the_defaults_of_what_takes_an_option(command, taker, names):
    helps = {action.dest: action.help for action in every_command()[command]._actions}
    for name in names:
        value = getattr(taker, name)
        shown = "all" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
        quick = f", quick: {getattr(QUICK, name)}" if command == "evaluate" and name != "seed" else ""
        assert helps[name].endswith(f"(default: {shown}{quick})"), name


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"\n    {command}" in shown for command in every_command())


def test_bench_is_there_in_a_checkout_only(run, capsys, monkeypatch):
    with pytest.raises(SystemExit) as caught:
        main(["bench", "--help"])
    shown = capsys.readouterr().out
    assert caught.value.code == 0 and "usage: framecast bench" in shown and "--only" in shown
    for name in [name for name in sys.modules if name.startswith("framecast.benchmarks")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(framecast, "__path__", [str(REPO / "framecast")])  # as where it is installed
    code, _, err = run("bench")
    assert code == 2 and "run this in a clone" in err


def test_python_m_framecast_says_its_version_at_once():
    command = [sys.executable, "-X", "importtime", "-m", "framecast", "--version"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == f"framecast {__version__}\n"
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "framecast.cli" in imported and "torch" not in imported
