"""Prompts as people type them: in any case, in lists, and with words that the model has never seen."""

import json
import warnings

import pytest
import tiny_bundle
import tiny_world
import torch

from framecast.data.sprites import CAPTION_WORDS
from framecast.sample import PromptWarning, SamplingParams, Start, UnseenWordsWarning, load_bundle, load_generator
from framecast.sample.rewind import rewound
from framecast.sample.worlds import WorldEnv
from framecast.tokenizer import TextTokenizer

PROMPT = "a red circle moves right"


@pytest.fixture(scope="module")
def default():
    return load_generator()


def test_case_and_a_full_stop_change_nothing(default):
    expected = default.stepper.encode_prompt(PROMPT, guided=True)
    for typed in ("A Red Circle Moves Right", "a red circle moves right.", f'  "{PROMPT.upper()}!"  '):
        assert torch.equal(default.stepper.encode_prompt(typed, guided=True).keys, expected.keys)
    assert not torch.equal(default.stepper.encode_prompt("a red circle moves left", guided=True).keys, expected.keys)


def test_a_typed_prompt_is_shown_as_it_was_typed():
    clip = tiny_bundle.generator().generate("A Red Circle moves right.", 5)
    assert clip.prompt == "A Red Circle moves right."
    assert torch.equal(clip.tokens, tiny_bundle.generator().generate(PROMPT, 5).tokens)


def test_unseen_words_are_named(default):
    with pytest.warns(UnseenWordsWarning, match=r'^"dog", "runs": not in what this model was trained on'):
        stream = default.stream("a red Dog runs; at 2s a blue ring falls")
    with pytest.warns(UnseenWordsWarning, match='"sparkles"'):
        stream.set_prompt("it sparkles")
    with pytest.warns(UnseenWordsWarning, match='"purple"'):
        default.stream([(0, PROMPT), (1, "a purple circle moves up")])


def test_some_words_that_are_known_are_told(default):
    with pytest.warns(UnseenWordsWarning, match=r"it knows 51 words, such as .*; `framecast info` shows more$"):
        default.stream("a red dog moves right")


def test_a_prompt_that_no_frame_shows_is_named():
    generator = tiny_bundle.generator()
    for prompt in (f"{PROMPT}; at 5s a ring falls", [f"{PROMPT}; at 5s a ring falls"]):
        with pytest.warns(PromptWarning, match='ends before the time of "a ring falls" has come; ask for more frames'):
            generator.generate(prompt, 9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator.generate(f"{PROMPT}; at 0.5s a ring falls", 9)


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A world whose training had no captions, with a start of which nothing is said."""
    start = Start("road", tiny_world.generator().generate(tiny_world.PROMPT, 3).tokens)
    training = {"data": {"captioned": 0}}
    return load_generator(tiny_world.save(tmp_path_factory.mktemp("silent") / "world", training=training, starts=[start]))


def test_a_model_without_captions_needs_no_prompt_and_one_row(silent):
    assert silent.caption == ""
    clip = silent.generate(num_frames=7, start="road", actions="left", guidance_scale=3.0)
    with pytest.warns(UnseenWordsWarning):
        guided = silent.generate("a video", num_frames=7, start="road", actions="left", guidance_scale=0.0)
    assert torch.equal(clip.tokens, guided.tokens)
    assert silent.stream().seat.own.guides.rows == 1
    assert WorldEnv(silent, start="road").rules.params.guides.rows == WorldEnv(silent).rules.params.guides.rows == 1
    assert WorldEnv(silent, start=[], params={"guidance_scale": 0.0}).reset(seed=0)[1]["frame"] == 0
    with pytest.raises(ValueError, match='got negative_prompt "rain" for a model whose training had no captions; wanted none'):
        silent.stream(negative_prompt="rain")


def test_nothing_said_is_kept_wherever_a_stream_goes(silent, tmp_path):
    stream = silent.stream(seed=3)
    stream.record(tmp_path / "a.fct")
    stream.step()
    restored = silent.restore(stream.snapshot())
    assert torch.equal(stream.step()[-1].image, restored.step()[-1].image)
    with pytest.raises(ValueError, match="got an empty prompt; wanted some words that say what the video shows"):
        stream.set_prompt("")
    stream.set_prompt(PROMPT)
    stream.step()
    assert stream.prompts == ((0, ""), (2, PROMPT))
    (*_, earlier) = rewound(stream, 3)
    assert earlier.prompts == stream.prompts
    stream.close()
    assert silent.replay(tmp_path / "a.fct").same


def test_nothing_said_is_an_error_if_the_model_knows_captions():
    for prompt in ("", [(0.0, "")], [(0.0, ""), (1.0, PROMPT)]):
        with pytest.raises(ValueError, match="got an empty prompt at 0 s; wanted words for every moment of the timeline"):
            tiny_bundle.generator().stream(prompt)
    with pytest.raises(ValueError, match="got no prompt; wanted a prompt, pairs of seconds and text, or a `start`"):
        tiny_bundle.generator().stream()


@pytest.mark.parametrize(
    ("training", "prompts", "caption"),
    [
        ({"captions": ["a ring falls"], "data": {"captioned": 3}}, [None], "a ring falls"),
        ({"data": {"captioned": 3}}, [PROMPT, PROMPT], PROMPT),  # of an earlier version, by its starts
        ({"data": {"captioned": 3}}, [PROMPT, "a ring falls"], None),
        ({"data": {"captioned": 3}}, [None, PROMPT], None),
        ({"data": {"captioned": 0}}, [None], ""),
        ({}, [], None),
    ],
)
def test_a_bundle_knows_the_caption_of_its_training(tmp_path, training, prompts, caption):
    tokens = tiny_world.generator().generate(PROMPT, 1).tokens
    starts = [Start(f"start {number}", tokens, prompt) for number, prompt in enumerate(prompts)]
    bundle = load_bundle(tiny_world.save(tmp_path / "world", training=training, starts=starts))
    assert bundle.caption == caption == bundle.generator().caption
    if caption:
        assert bundle.generator().stream().prompt == caption


def test_words_of_the_training_are_no_news(default):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for prompt in (PROMPT, "An ORANGE star moves up, then stops, and a small digit 7 bounces, and the camera pans left."):
            default.stream(prompt)


def test_a_bundle_keeps_the_words_of_its_captions(tmp_path):
    bundle = load_bundle(tiny_bundle.save(tmp_path / "new"))
    assert bundle.text_tokenizer.words == {"a", "red", "circle", "moves", "right", "blue", "square", "up", "ring", "falls"}
    assert bundle.text_tokenizer.unseen("a red star falls") == ["star"]


def test_an_older_bundle_knows_the_words_of_its_world(tmp_path):
    unknown = TextTokenizer(tiny_bundle.text_tokenizer().model_bytes)
    old = tiny_bundle.save(tmp_path / "old", text_tokenizer=unknown)
    assert json.loads((old / "config.json").read_text())["text"] is None
    assert load_bundle(old).text_tokenizer.words == {*CAPTION_WORDS, ","}
    other = tiny_bundle.save(tmp_path / "other", text_tokenizer=unknown, training={"source": "VideoFolder"})
    assert load_bundle(other).text_tokenizer.words is None


def test_a_list_of_prompts_makes_the_clips_that_each_makes_alone():
    generator, params = tiny_bundle.generator(), SamplingParams(temperature=1.0)
    prompts = [PROMPT, f"{PROMPT}; at 0.5s a ring falls", *["a blue square moves up"] * 8]  # more than one batch
    clips = generator.generate(prompts, 13, 3, params)
    for prompt, clip in zip(prompts, clips, strict=True):
        alone = generator.generate(prompt, 13, 3, params)
        assert torch.equal(clip.tokens, alone.tokens)
        assert (clip.frames.int() - alone.frames.int()).abs().max() <= 1  # a grey level, where the decoder rounds otherwise
        assert (clip.prompt, clip.seed, clip.fps) == (alone.prompt, 3, 12.0)
    assert not torch.equal(clips[0].tokens, clips[1].tokens) and not torch.equal(clips[0].tokens, clips[2].tokens)


def test_a_list_of_prompts_goes_on_from_frames():
    generator, frames = tiny_bundle.generator(), tiny_bundle.frames(5)
    for prompt, clip in zip(
        [PROMPT, "a ring falls"], generator.generate([PROMPT, "a ring falls"], 13, 0, None, frames), strict=True
    ):
        alone = generator.generate(prompt, 13, 0, None, frames)
        assert torch.equal(clip.tokens, alone.tokens) and torch.equal(clip.frames, alone.frames)


def test_pairs_of_seconds_and_text_are_still_one_prompt():
    clip = tiny_bundle.generator().generate([(0, PROMPT), (0.5, "a ring falls")], 13)
    assert torch.equal(clip.tokens, tiny_bundle.generator().generate(f"{PROMPT}; at 0.5s a ring falls", 13).tokens)


def test_what_no_list_of_prompts_can_be():
    generator = tiny_bundle.generator()
    with pytest.raises(ValueError, match=r"got a list of 2 prompts for one stream; wanted one prompt, .* `StreamBatch`"):
        generator.stream([PROMPT, PROMPT])
    with pytest.raises(ValueError, match="got an empty prompt"):
        generator.generate([PROMPT, " "], 5)
    with pytest.raises(ValueError, match="wanted the first at 0"):
        generator.generate([], 5)
    with pytest.raises(ValueError, match="wanted a prompt, pairs of seconds and text"):
        generator.generate([PROMPT, (1, PROMPT)], 5)
    with pytest.raises(ValueError, match="wanted a prompt, pairs of seconds and text"):
        generator.stream(None)


def test_a_running_stream_takes_no_timeline():
    stream = tiny_bundle.generator().stream(PROMPT)
    with pytest.raises(ValueError, match=r'with a ";" for a stream that runs; wanted one prompt'):
        stream.set_prompt("a ring falls; at 2s it stops")
    assert stream.prompt == PROMPT


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ValueError, match=r"got the text 'a \\udcff ring', which holds bytes that are no text; wanted UTF-8"):
        tiny_bundle.generator().stream("a \udcff ring")
