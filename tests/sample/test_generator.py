"""`VideoGenerator`: same seed, same tokens; predictions fed back; guidance against a real null prompt; clips continued."""

import copy

import pytest
import tiny
import tiny_bundle
import torch
from laws import assert_same

from framecast.data import to_frames
from framecast.model import VideoLM, shift_tokens
from framecast.sample import SamplingParams, VideoGenerator
from framecast.sample.sampling import Chooser

PROMPT, OTHER = "a red circle moves right", "a blue square moves up"
PARAMS = SamplingParams(temperature=1.0, guidance_scale=2.0, decoding="row")
PLAIN = SamplingParams(temperature=1.0, guidance_scale=1.0, decoding="row")
EVERY_BLOCK = ["token", "jacobi", "row", "frame", 1, 3, 6]


@pytest.fixture(scope="module")
def generator() -> VideoGenerator:
    return tiny_bundle.generator()


@pytest.fixture
def forwards(monkeypatch) -> list[torch.Tensor]:
    """The inputs of every forward of a video LM."""
    seen, forward = [], VideoLM.forward

    def spy(self, inputs, *args):
        seen.append(inputs.clone())
        return forward(self, inputs, *args)

    monkeypatch.setattr(VideoLM, "forward", spy)
    return seen


def test_a_clip_is_what_it_says(generator):
    clip = generator.generate(PROMPT, 13, seed=3, params=PARAMS)
    assert clip.frames.shape == (13, 16, 24, 3) and clip.frames.dtype == torch.uint8
    assert clip.tokens.shape == (4, 2, 3) and clip.tokens.dtype == torch.int64
    assert (clip.fps, clip.prompt, clip.seed) == (12.0, PROMPT, 3)
    assert torch.equal(clip.frames, generator.decode(clip.tokens))
    with torch.inference_mode():
        offline = to_frames(generator.tokenizer.decode(clip.tokens[None]))[0]
    assert_same(clip.frames, offline, dim=0, atol=1, what="the stream's picture")
    assert generator.generate(PROMPT, 1, params=PARAMS).frames.shape == (1, 16, 24, 3)


def test_same_seed_same_tokens_whatever_the_global_noise(generator):
    torch.manual_seed(1)
    first = generator.generate(PROMPT, 9, seed=5, params=PARAMS)
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    again = generator.generate(PROMPT, 9, seed=5, params=PARAMS)
    assert torch.equal(first.tokens, again.tokens) and torch.equal(first.frames, again.frames)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_seed_another_clip(generator):
    clips = [generator.generate(PROMPT, 9, seed, PARAMS) for seed in (0, 1, 2)]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert not torch.equal(clips[a].tokens, clips[b].tokens)
        assert not torch.equal(clips[a].frames, clips[b].frames)


def test_another_prompt_another_clip(generator):
    clips = [generator.generate(prompt, 9, 0, PARAMS) for prompt in (PROMPT, OTHER)]
    assert not torch.equal(clips[0].tokens, clips[1].tokens)


def test_a_longer_clip_begins_as_a_shorter_one(generator):
    short, long = (generator.generate(PROMPT, length, 0, PARAMS) for length in (9, 17))
    assert torch.equal(long.tokens[:3], short.tokens) and torch.equal(long.frames[:9], short.frames)


@pytest.mark.parametrize("decoding", ["token", "row", "frame", 1, 3, 6])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_each_decoding_takes_its_forwards(generator, forwards, decoding, scale):
    params = SamplingParams(temperature=1.0, guidance_scale=scale, decoding=decoding)
    clip = generator.generate(PROMPT, 9, 0, params)
    block = params.block_length((2, 3))
    sizes = [inputs.shape[1] for inputs in forwards]
    first, later = sizes[: -2 * 6 // block], sizes[-2 * 6 // block :]
    assert later == [block] * (2 * 6 // block)
    assert first == [1] * 6 if decoding == "token" else first[0] == 6 and sorted(set(first), reverse=True) == first
    assert {inputs.shape[0] for inputs in forwards} == {2 if scale != 1 else 1}
    assert clip.tokens.min() >= 0 and clip.tokens.max() < 60


def test_the_first_latent_frame_is_the_same_for_all_block_lengths(generator):
    firsts = [generator.generate(PROMPT, 1, 4, SamplingParams(decoding=block)).tokens for block in EVERY_BLOCK]
    assert all(torch.equal(first, firsts[0]) for first in firsts)


@pytest.mark.parametrize("block_length", ["token", "row", "frame"])
def test_what_was_chosen_is_fed_back(generator, forwards, block_length):
    params = SamplingParams(temperature=1.0, decoding=block_length)
    tokens = generator.generate(PROMPT, 17, 0, params).tokens
    fed = torch.cat(forwards, dim=1)[:, -4 * 6 :]
    expected = shift_tokens(tokens[None], params.block_length((2, 3)), tiny_bundle.lm().start_id)
    assert torch.equal(fed, expected.expand(2, -1)[:, 6:])


def test_an_early_token_changes_what_comes_later(generator):
    """With the very same noise: a generator that never reads its predictions would not notice."""
    state = generator.stepper.init_state(PROMPT, 0, PARAMS)
    generator.stepper.step(state)
    other = state.clone()
    other.previous = (other.previous + 7) % 60
    assert not torch.equal(generator.stepper.step(state).tokens, generator.stepper.step(other).tokens)


def offline(generator: VideoGenerator, tokens: torch.Tensor, params: SamplingParams, prompt: str = PROMPT) -> torch.Tensor:
    """Guided or plain hidden vectors of a clip `[R, S, E]` in one pass and without a cache."""
    inputs = shift_tokens(tokens[None], params.block_length((2, 3)), generator.lm.start_id)
    memory = generator.stepper.encode_prompt(prompt, params.guided)
    rows = memory.keys.shape[0]
    return generator.lm(inputs.expand(rows, -1), memory, params.block_length((2, 3))).hidden


@pytest.mark.parametrize("block_length", ["token", "jacobi", "row", "frame"])
@pytest.mark.parametrize("scale", [1.0, 3.0])
@torch.inference_mode()
def test_every_token_follows_from_the_tokens_before_it(generator, block_length, scale):
    """Choosing again from one pass without a cache gives the same clip: what was sampled is what the LM says."""
    from framecast.sample.sampling import stream_uniforms

    params = SamplingParams(temperature=1.0, guidance_scale=scale, decoding=block_length)
    tokens = generator.generate(PROMPT, 13, 8, params).tokens
    hidden = offline(generator, tokens, params)
    uniforms = torch.cat([stream_uniforms(8, index, 6) for index in range(4)])[None]
    assert torch.equal(generator.lm.vocabulary.sample(hidden, Chooser(params, uniforms)).view(4, 2, 3), tokens)


def test_the_second_row_really_gets_the_null_prompt(generator, monkeypatch):
    seen, encode = [], VideoLM.encode_prompts

    def spy(self, ids, real, *rest):
        seen.append((ids.clone(), real.clone()))
        return encode(self, ids, real, *rest)

    monkeypatch.setattr(VideoLM, "encode_prompts", spy)
    generator.generate(PROMPT, 5, 0, PARAMS)
    ((ids, real),) = seen  # once, however many forwards
    text = generator.text_tokenizer
    assert ids.shape[:2] == (2, 1)
    assert ids[0, 0].tolist() == text.encode(PROMPT, 24) and real[0].all()
    assert ids[1, 0, 0] == text.eos_id and real[1, 0].tolist() == [True] + [False] * (ids.shape[2] - 1)
    generator.generate(PROMPT, 5, 0, PLAIN)
    assert seen[1][0].shape[:2] == (1, 1)


@torch.inference_mode()
def test_the_prompt_reaches_the_first_row_and_never_the_second(generator):
    tokens = torch.randint(60, (3, 2, 3), generator=tiny.rng())
    one, other = offline(generator, tokens, PARAMS, PROMPT), offline(generator, tokens, PARAMS, OTHER)
    assert_same(one[1:], other[1:], atol=1e-5, what="the hidden vectors of the null prompt")
    assert (one[0] - other[0]).abs().amax(dim=-1).min() > 1e-3
    assert (one[0] - one[1]).abs().amax(dim=-1).min() > 1e-3


def test_a_guidance_scale_of_zero_hears_no_prompt(generator):
    deaf = SamplingParams(temperature=1.0, guidance_scale=0.0)
    assert torch.equal(generator.generate(PROMPT, 9, 0, deaf).tokens, generator.generate(OTHER, 9, 0, deaf).tokens)


def test_guidance_changes_the_clip(generator):
    clips = [generator.generate(PROMPT, 9, 0, SamplingParams(guidance_scale=scale)).tokens for scale in (1.0, 2.0, 8.0)]
    assert not torch.equal(clips[0], clips[1]) and not torch.equal(clips[1], clips[2])


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_factorised_vocabulary_whose_end_is_inside_a_row(scale):
    """60 tokens in 8 x 8: the last four pairs do not exist, with guidance neither."""
    generator = tiny_bundle.generator(factorise_above=10)
    params = SamplingParams(temperature=2.0, guidance_scale=scale, decoding="frame")
    tokens = generator.generate(PROMPT, 33, 0, params).tokens
    assert tokens.min() >= 0 and tokens.max() < 60 and len(tokens.unique()) > 15


@pytest.mark.parametrize("num_given", [1, 5, 17])
def test_continuing_keeps_what_is_given(generator, num_given):
    given = tiny_bundle.frames(num_given)
    clip = generator.generate(PROMPT, num_given + 8, 0, PARAMS, first_frames=given)
    tokens = generator.tokenizer.encode((given.permute(3, 0, 1, 2)[None] / 127.5) - 1)[0]
    assert clip.frames.shape[0] == num_given + 8 and clip.tokens.shape[0] == len(tokens) + 2
    assert torch.equal(clip.tokens[: len(tokens)], tokens)
    assert torch.equal(clip.frames[:num_given], generator.decode(tokens))
    assert_same(clip.frames, generator.decode(clip.tokens), dim=0, atol=1, what="the clip")


def test_what_is_given_matters(generator):
    clips = [generator.generate(PROMPT, 9, 0, PARAMS, tiny_bundle.frames(5, seed)).tokens for seed in (0, 1)]
    assert not torch.equal(clips[0][2:], clips[1][2:])


@pytest.mark.parametrize("params", [PARAMS, PLAIN, *(SamplingParams(decoding=kind) for kind in ("token", "jacobi", "frame"))])
@pytest.mark.parametrize("num_given", [1, 5])
def test_going_on_from_a_stream_s_own_tokens_is_as_if_it_had_never_stopped(generator, monkeypatch, params, num_given):
    """Also where the given frames are more than the context holds (one sink frame and two)."""
    whole = generator.generate(PROMPT, 25, 6, params)
    given = whole.tokens[:num_given]
    monkeypatch.setattr(type(generator.tokenizer), "encode", lambda self, video, state=None: given[None])
    rest = generator.generate(PROMPT, 25, 6, params, first_frames=whole.frames[: 4 * num_given - 3])
    assert torch.equal(rest.tokens, whole.tokens)
    assert_same(rest.frames, whole.frames, dim=0, atol=1, what="the clip")  # decoded in other chunks: rounded otherwise


@torch.inference_mode()
def test_prefilling_leaves_the_state_that_stepping_leaves(generator, monkeypatch):
    stepped = generator.stepper.init_state(PROMPT, 0, PARAMS)
    tokens = torch.stack([generator.stepper.step(stepped).tokens for _ in range(5)])
    monkeypatch.setattr(type(generator.tokenizer), "encode", lambda self, video, state=None: tokens[None])
    filled = generator.stepper.init_state(PROMPT, 0, PARAMS)
    generator.stepper.prefill(filled, tokens)
    assert torch.equal(stepped.previous, filled.previous) and filled.latent_index == stepped.latent_index == 5
    for a, b in zip(stepped.lm.layers, filled.lm.layers, strict=True):
        for name in ("keys", "values"):  # the first six places hold the frame in the making, which is none
            assert_same(getattr(a, name)[:, :, 6:], getattr(b, name)[:, :, 6:], dim=2, atol=1e-5, what=name)
    assert_same(
        generator.tokenizer.decode(tokens[None, -1:], stepped.decoder),
        generator.tokenizer.decode(tokens[None, -1:], filled.decoder),
        dim=2,
        atol=1e-5,
    )


@pytest.mark.parametrize("num_frames", [0, -3, 2, 4, 6])
def test_an_illegal_length_is_refused(generator, num_frames):
    with pytest.raises(ValueError, match=rf"got a video of {num_frames} frames; wanted 1 \+ 4k frames"):
        generator.generate(PROMPT, num_frames)


@pytest.mark.parametrize("prompt", ["", "  "])
@pytest.mark.parametrize("params", [PARAMS, PLAIN])
def test_an_empty_prompt_is_refused(generator, prompt, params):
    with pytest.raises(ValueError, match="got an empty prompt"):
        generator.generate(prompt, 5, params=params)


def test_a_long_prompt_is_refused(generator):
    with pytest.raises(ValueError, match=r"got a prompt of \d+ text tokens .*; wanted at most 24"):
        generator.stream("a red circle moves right " * 20)


@pytest.mark.parametrize("block_length", [2, 4, 5, 12])
def test_a_block_length_that_does_not_fit_is_refused_before_anything_is_made(generator, block_length):
    with pytest.raises(ValueError, match=rf"got block_length {block_length}; wanted one of 1, 3, 6 for frames of 2x3"):
        generator.stream(PROMPT, params=SamplingParams(decoding=block_length))


def test_first_frames_of_another_size_are_refused(generator):
    with pytest.raises(ValueError, match="got first frames of 24x16 pixels; wanted 16x24"):
        generator.generate(PROMPT, 9, first_frames=tiny_bundle.frames(5).transpose(1, 2))


def test_first_frames_of_another_kind_are_refused(generator):
    with pytest.raises(ValueError, match=r"frames are torch\.float32 .* wanted uint8"):
        generator.generate(PROMPT, 9, first_frames=tiny_bundle.frames(5).float())


@pytest.mark.parametrize("num_given", [0, 2, 4])
def test_an_illegal_number_of_first_frames_is_refused(generator, num_given):
    with pytest.raises(ValueError, match=rf"got a video of {num_given} frames; wanted 1 \+ 4k"):
        generator.generate(PROMPT, 9, first_frames=tiny_bundle.frames(num_given))


@pytest.mark.parametrize("num_frames", [1, 5, 9])
def test_a_clip_must_be_longer_than_what_it_continues_and_the_advice_is_legal(generator, num_frames):
    with pytest.raises(ValueError, match=f"got num_frames {num_frames} and 9 first frames.* ask for 13 in all"):
        generator.generate(PROMPT, num_frames, first_frames=tiny_bundle.frames(9))
    assert len(generator.generate(PROMPT, 13, first_frames=tiny_bundle.frames(9)).frames) == 13


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codebook_size": 64}, "60 video tokens and a video LM for 64"),
        ({"frame_shape": (3, 2)}, r"\(2, 3\) tokens per frame and a video LM for \(3, 2\)"),
        ({"text_vocab_size": 7}, r"\d+ text ids and a video LM for 7"),
        ({"num_actions": 3, "action_frames": 2}, "4 frames per latent frame and a video LM for 2"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    parts = (tiny_bundle.tokenizer(), tiny_bundle.lm(**changes), tiny_bundle.text_tokenizer())
    with pytest.raises(ValueError, match=f"got a tokenizer with {message}; wanted them equal"):
        VideoGenerator(*parts, 16, 24, 12.0)


def test_frames_that_are_no_whole_tokens_are_refused():
    with pytest.raises(ValueError, match="got frames of 15x24 pixels; wanted multiples of 8"):
        VideoGenerator(tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer(), 15, 24, 12.0)


def test_networks_stay_as_they_are_and_copies_are_put_into_eval_mode():
    tokenizer, lm = tiny_bundle.tokenizer().train(), tiny_bundle.lm().train()
    kinds = [[type(module) for module in part.modules()] for part in (tokenizer, lm)]
    generator = VideoGenerator(tokenizer, lm, tiny_bundle.text_tokenizer(), 16, 24, 12.0)
    generator.generate(PROMPT, 5)
    assert [[type(module) for module in part.modules()] for part in (tokenizer, lm)] == kinds
    assert all(module.training for part in (tokenizer, lm) for module in part.modules())
    assert not any(module.training for part in (generator.tokenizer, generator.lm) for module in part.modules())
    shared = [(a, b) for a, b in zip(lm.parameters(), generator.lm.parameters(), strict=True)]
    assert all(a is b for a, b in shared)


@pytest.mark.parametrize("name", ["fps", "name", "lm", "tokenizer", "device"])
def test_a_generator_stays_as_it_was_made(generator, name):
    """A value that is taken and then ignored would be worse."""
    for one in (generator, copy.deepcopy(generator)):
        with pytest.raises(AttributeError, match=f"got another {name} for a VideoGenerator, .* make another"):
            setattr(one, name, None)
    assert generator.name == "unnamed"
