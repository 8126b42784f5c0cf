"""The text encoder: padding is never seen, and a prompt holds from its frame on."""

import pytest
import tiny
import torch
from laws import assert_same, first_difference

from framecast.model import VideoLM, shift_tokens
from framecast.model.text_encoder import PromptMemory, TextEncoder, timeline_mask


def ids(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(11, shape, generator=tiny.rng(seed))


def hidden(lm: VideoLM, prompts: PromptMemory, num_frames: int, cached: bool = False) -> torch.Tensor:
    tokens = tiny.tokens(lm, num_frames, batch_size=prompts.keys.shape[0])
    state = lm.init_state(tokens.shape[0]) if cached else None
    return lm(shift_tokens(tokens, 3, lm.start_id), prompts, 3, state).hidden


@pytest.fixture(autouse=True)
def _no_grad(request):
    with torch.set_grad_enabled("gradients" in request.node.name):
        yield


@pytest.fixture(scope="module")
def lm() -> VideoLM:
    return tiny.video_lm()


def test_order_and_every_word_matter():
    encoder = tiny.randomise(TextEncoder(11, 8, 2, max_length=5, out_width=16))
    words, real = ids(1, 4), torch.ones(1, 4, dtype=torch.bool)
    out = encoder(words, real)
    assert out.shape == (1, 4, 16)
    for place in range(4):  # bidirectional: each word reaches all places
        changed = words.clone()
        changed[0, place] = (changed[0, place] + 1) % 11
        assert ((encoder(changed, real) - out).abs().amax(dim=-1) > 1e-4).all()
    assert not torch.allclose(encoder(words.flip(1), real).flip(1), out, atol=1e-3)


def test_padding_ids_never_matter(lm):
    words, real = ids(2, 1, 5), torch.arange(5) < torch.tensor([2, 4])[:, None, None]
    padded = torch.where(real, words, ids(2, 1, 5, seed=1))
    assert not torch.equal(padded, words)
    assert torch.equal(hidden(lm, lm.encode_prompts(words, real), 2), hidden(lm, lm.encode_prompts(padded, real), 2))
    every = torch.ones_like(real)
    assert not torch.equal(  # control: with no padding the same change matters
        hidden(lm, lm.encode_prompts(words, every), 2), hidden(lm, lm.encode_prompts(padded, every), 2)
    )


@pytest.mark.parametrize("cached", [False, True])
def test_more_padding_changes_nothing(lm, cached):
    words = ids(2, 1, 5)
    real = (torch.arange(5) < 2).expand(2, 1, 5)
    short = lm.encode_prompts(words[..., :2], real[..., :2])
    assert_same(hidden(lm, short, 2, cached), hidden(lm, lm.encode_prompts(words, real), 2, cached), atol=1e-5)


def test_the_null_prompt_works(lm):
    end = torch.full((2, 1, 1), 2)
    alone = lm.encode_prompts(end, torch.ones_like(end, dtype=torch.bool))
    beside = lm.encode_prompts(torch.cat([end, end * 0, end * 0], dim=2), torch.tensor([True, False, False]).expand(2, 1, 3))
    assert hidden(lm, alone, 2).isfinite().all()
    assert_same(hidden(lm, alone, 2), hidden(lm, beside, 2), atol=1e-5)
    assert not torch.allclose(hidden(lm, alone, 2), hidden(lm, tiny.prompts(lm), 2), atol=1e-3)


def timeline(lm: VideoLM, words: torch.Tensor, starts: list[list[int]], num_frames: int) -> PromptMemory:
    real = torch.ones_like(words, dtype=torch.bool)
    return lm.encode_prompts(words, real, torch.tensor(starts), num_frames)


@pytest.mark.parametrize("cached", [False, True])
def test_a_prompt_reaches_only_its_frames_and_later_ones(lm, cached):
    starts, words = [[0, 1, 3], [0, 2, 9]], ids(2, 3, 4)  # the last prompt of the second video holds in no frame
    before = hidden(lm, timeline(lm, words, starts, 4), 4, cached)
    for prompt in range(3):
        changed = words.clone()
        changed[:, prompt] = (changed[:, prompt] + 1) % 11
        after = hidden(lm, timeline(lm, changed, starts, 4), 4, cached)
        for row in range(2):
            expected = starts[row][prompt] * lm.frame_length if starts[row][prompt] < 4 else None
            assert first_difference(after[row : row + 1], before[row : row + 1]) == expected, (prompt, row)


@pytest.mark.parametrize("cached", [False, True])
def test_a_frame_sees_the_prompt_that_holds_and_no_other(lm, cached):
    """Frame by frame as if that prompt alone were given; a layer that mixes frames would carry the others' traces."""
    words, starts = ids(2, 2, 4), [[0, 2], [0, 1]]
    memory = timeline(lm, words, starts, 4)
    for frame in range(4):
        held = torch.stack([words[row, int(frame >= starts[row][1])] for row in range(2)])
        expected = lm.encode_prompts(held[:, None], torch.ones(2, 1, 4, dtype=torch.bool))
        mask = memory.frame_mask(torch.tensor([[frame]]))
        for row in range(2):
            seen = mask[row, 0]
            assert seen.sum() == 4
            torch.testing.assert_close(memory.keys[row][:, :, seen], expected.keys[row], atol=1e-5, rtol=0)
            torch.testing.assert_close(memory.values[row][:, :, seen], expected.values[row], atol=1e-5, rtol=0)


def test_one_prompt_throughout_is_a_timeline_of_one(lm):
    words = ids(2, 1, 4)
    once = lm.encode_prompts(words, torch.ones_like(words, dtype=torch.bool))
    assert_same(hidden(lm, timeline(lm, words, [[0], [0]], 4), 4), hidden(lm, once, 4), atol=1e-5)


@pytest.mark.parametrize("cached", [False, True])
def test_the_last_prompt_goes_on_past_the_encoded_frames(lm, cached):
    words, starts = ids(2, 2, 4), [[0, 1], [0, 2]]
    short, long = (timeline(lm, words, starts, n) for n in (3, 4))
    assert torch.equal(hidden(lm, short, 4, cached), hidden(lm, long, 4, cached))


def test_unused_places_of_a_timeline_do_no_harm(lm):
    words = ids(2, 2, 4)
    real = torch.ones_like(words, dtype=torch.bool)
    real[:, 1] = False  # no second prompt at all
    memory = lm.encode_prompts(words, real, torch.tensor([[0, 3], [0, 3]]), num_frames=3)
    alone = lm.encode_prompts(words[:, :1], real[:, :1])
    assert_same(hidden(lm, memory, 3), hidden(lm, alone, 3), atol=1e-5)


def test_gradients_of_unused_places_are_finite():
    lm, words = tiny.video_lm(), ids(2, 2, 4)
    real = torch.ones_like(words, dtype=torch.bool)
    real[:, 1] = False
    memory = lm.encode_prompts(words, real, torch.tensor([[0, 3], [0, 3]]), num_frames=3)
    hidden(lm, memory, 3).square().mean().backward()
    assert all(p.grad.isfinite().all() for p in lm.parameters() if p.grad is not None)


def test_timeline_mask_by_hand():
    starts, real = torch.tensor([[0, 2, 4]]), torch.tensor([[[True, True], [True, False], [True, True]]])
    mask = timeline_mask(starts, real, num_frames=4)
    assert mask[0].int().tolist() == [[1, 1, 0, 0, 0, 0]] * 2 + [[0, 0, 1, 0, 0, 0]] * 2


def test_prompts_repeat_with_their_rows(lm):
    memory = tiny.prompts(lm, batch_size=3)
    rows = memory.select([2, 0])
    assert_same(hidden(lm, rows, 2), hidden(lm, memory.expand(1).select(torch.tensor([2, 0])), 2))
    assert torch.equal(rows.mask, memory.mask[[2, 0]]) and rows.keys.shape[0] == 2


def test_too_long_prompts_are_refused(lm):
    with pytest.raises(ValueError, match="got prompts of 6 text ids; wanted at most 5, this model's max_prompt_length"):
        lm.encode_prompts(ids(1, 1, 6), torch.ones(1, 1, 6, dtype=torch.bool))
