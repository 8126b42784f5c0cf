"""`VideoLM`: nothing leaks from the future for any block length, and every size is checked."""

from collections.abc import Iterable, Iterator

import pytest
import tiny
import torch
from laws import first_difference
from torch import Tensor

from framecast.model import VideoLM, shift_tokens, video_lm
from framecast.model.vocabulary import FactorisedVocabulary, FullVocabulary

BLOCKS = pytest.mark.parametrize("block_length", [1, 3, 6])
CACHED = pytest.mark.parametrize("cached", [False, True])


@pytest.fixture(autouse=True)
def _no_grad(request):
    with torch.set_grad_enabled("gradients" in request.node.name):
        yield


@pytest.fixture(scope="module")
def lm() -> VideoLM:
    return tiny.video_lm()


def hidden(lm: VideoLM, tokens: Tensor, block_length: int, cached: bool = False) -> Tensor:
    state = lm.init_state(tokens.shape[0]) if cached else None
    return lm(shift_tokens(tokens, block_length, lm.start_id), tiny.prompts(lm), block_length, state).hidden


def first_changed(lm: VideoLM, positions: Iterable[int], block_length: int, cached: bool) -> Iterator[int | None]:
    """For each position the first prediction that changes by a single bit when the token there does."""
    tokens = tiny.tokens(lm, 3)
    before = hidden(lm, tokens, block_length, cached)
    for position in positions:
        changed = tokens.clone()
        changed.view(2, -1)[:, position] = (changed.view(2, -1)[:, position] + 1) % lm.config.codebook_size
        yield first_difference(hidden(lm, changed, block_length, cached), before)


def end_of_block(position: int, block_length: int) -> int:
    return position + 1 if position < 6 else (position // block_length + 1) * block_length


@BLOCKS
@CACHED
def test_no_token_reaches_its_own_block_or_an_earlier_one(lm, block_length, cached):
    for position, first in enumerate(first_changed(lm, range(18), block_length, cached)):
        expected = end_of_block(position, block_length)
        assert first == (expected if expected < 18 else None), position


@BLOCKS
def test_control_a_mask_shifted_by_one_is_caught(lm, block_length, monkeypatch):
    monkeypatch.setattr(video_lm, "block_mask", lambda queries, keys: keys[None, :] <= queries[:, None] + 1)
    assert next(first_changed(lm, [8], block_length, cached=False)) < end_of_block(8, block_length)


def test_control_inputs_that_are_not_shifted_are_caught(lm):
    tokens, changed = tiny.tokens(lm, 3), tiny.tokens(lm, 3)
    changed[:, 1, 0, 1] = (changed[:, 1, 0, 1] + 1) % 13
    unshifted = [lm(x.flatten(1), tiny.prompts(lm), 1).hidden for x in (tokens, changed)]
    assert first_difference(*unshifted) == 7 < end_of_block(7, 1)


def test_control_a_block_without_its_shift_is_caught(lm):
    """Inputs of one token before, in blocks of a row: each sees the answers of those before it."""
    tokens, changed = tiny.tokens(lm, 3), tiny.tokens(lm, 3)
    changed[:, 1, 0, 0] = (changed[:, 1, 0, 0] + 1) % 13
    wrong = [lm(shift_tokens(x, 1, lm.start_id), tiny.prompts(lm), 3).hidden for x in (tokens, changed)]
    assert first_difference(*wrong) < end_of_block(6, 3)


@BLOCKS
@CACHED
def test_videos_of_a_batch_do_not_see_each_other(lm, block_length, cached):
    tokens = tiny.tokens(lm, 3)
    changed = torch.cat([tokens[:1], tiny.tokens(lm, 3, seed=1)[1:]])
    before, after = hidden(lm, tokens, block_length, cached), hidden(lm, changed, block_length, cached)
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])


@BLOCKS
def test_the_first_frame_is_the_same_for_every_block_length(lm, block_length):
    tokens = tiny.tokens(lm, 2)
    torch.testing.assert_close(hidden(lm, tokens, block_length)[:, :6], hidden(lm, tokens, 1)[:, :6], atol=1e-5, rtol=0)


@BLOCKS
@CACHED
def test_two_passes_are_equal(lm, block_length, cached):
    tokens = tiny.tokens(lm, 3)
    assert torch.equal(hidden(lm, tokens, block_length, cached), hidden(lm, tokens, block_length, cached))


def test_training_mode_draws_no_random_numbers():
    lm = tiny.video_lm()
    expected = hidden(lm, tiny.tokens(lm, 3), 3)
    assert torch.equal(hidden(lm.train(), tiny.tokens(lm, 3), 3), expected)


def test_cache_is_in_no_state_dict(lm):
    before = set(lm.state_dict())
    hidden(lm, tiny.tokens(lm, 5), 6, cached=True)
    assert set(lm.state_dict()) == before and not [name for name in before if "cache" in name or "keys" in name]


def test_weights_round_trip(lm):
    again = VideoLM(lm.config).eval()
    again.load_state_dict(lm.state_dict())
    assert torch.equal(hidden(again, tiny.tokens(lm, 5), 3), hidden(lm, tiny.tokens(lm, 5), 3))


def test_partial_frames_of_single_tokens(lm):
    inputs = shift_tokens(tiny.tokens(lm, 2), 1, lm.start_id)
    whole = lm(inputs, tiny.prompts(lm), 1).hidden
    for length in (1, 5, 6, 7, 11):
        part = lm(inputs[:, :length], tiny.prompts(lm), 1).hidden
        torch.testing.assert_close(part, whole[:, :length], atol=1e-5, rtol=0)


def test_gradients_reach_every_parameter():
    lm = tiny.video_lm()
    tokens = tiny.tokens(lm, 4, batch_size=4)
    prompts = tiny.prompts(lm, batch_size=4)
    total = 0.0
    for block_length in (1, 3, 6):
        output = lm(shift_tokens(tokens, block_length, lm.start_id), prompts, block_length)
        total = total + lm.vocabulary.loss(output.hidden, tokens.flatten(1)).nll.mean()
    total.backward()
    missing = [name for name, p in lm.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert missing == []


def test_hidden_i_predicts_token_i():
    """A model trained to copy one fixed clip names its tokens at their own places."""
    torch.manual_seed(0)
    with torch.enable_grad():
        lm = VideoLM(tiny.lm_config(num_layers=1)).train()
        tokens, prompts = tiny.tokens(lm, 2, batch_size=1), tiny.prompts(lm, batch_size=1)
        memory = type(prompts)(prompts.keys.detach(), prompts.values.detach(), prompts.mask)
        optimizer = torch.optim.AdamW(lm.parameters(), lr=2e-2)
        for _ in range(30):
            output = lm(shift_tokens(tokens, 3, lm.start_id), memory, 3)
            optimizer.zero_grad()
            lm.vocabulary.loss(output.hidden, tokens.flatten(1)).nll.mean().backward()
            optimizer.step()
    assert torch.equal(lm.vocabulary.logits(output.hidden).argmax(dim=-1), tokens.flatten(1))


def test_large_vocabularies_are_factorised():
    assert isinstance(tiny.video_lm(codebook_size=64, factorise_above=64).vocabulary, FullVocabulary)
    assert isinstance(tiny.video_lm(codebook_size=65, factorise_above=64).vocabulary, FactorisedVocabulary)
    assert tiny.video_lm(codebook_size=65, factorise_above=64).vocabulary.base == 9
    assert tiny.video_lm(codebook_size=65, factorise_above=64, codebook_base=13).vocabulary.base == 13
    assert tiny.lm_config(codebook_size=64, factorise_above=64, codebook_base=8).codebook_base is None


def test_sizes_come_from_the_config(lm):
    assert (lm.start_id, lm.head_dim, lm.frame_length) == (13, 8, 6)
    config = tiny.lm_config(frame_shape=[2, 3])
    assert config.frame_shape == (2, 3) and hash(config)
    assert config.max_parallel_frames == 1 + 2 + 1


@pytest.mark.parametrize("block_length", [0, 2, 4, 5, 12])
def test_illegal_block_lengths_are_refused(lm, block_length):
    with pytest.raises(ValueError, match=f"got block_length {block_length}; wanted one of 1, 3, 6 for frames of 2x3 tokens"):
        lm(torch.zeros(1, 6, dtype=torch.int64), tiny.prompts(lm, batch_size=1), block_length)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 30}, "got width 30, num_heads 4, num_kv_heads 2; wanted num_heads to divide width into even parts"),
        ({"width": 36}, "got width 36, num_heads 4"),
        ({"num_kv_heads": 3}, "num_kv_heads 3; wanted .* num_kv_heads to divide num_heads"),
        ({"context_frames": 0}, r"got context_frames 0; wanted sizes of at least 1 \(sink: 0\)"),
        ({"sink_frames": -1}, r"got sink_frames -1; wanted sizes of at least 1 \(sink: 0\)"),
        ({"num_heads": 0, "cross_every": 0}, "got num_heads 0, cross_every 0; wanted sizes of at least 1"),
        ({"codebook_size": 0}, "got codebook_size 0; wanted sizes"),
        ({"frame_shape": (0, 3)}, r"got frame_shape \(0, 3\); wanted at least one row"),
    ],
)
def test_bad_shapes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny.lm_config(**changes)


def test_a_text_width_that_has_no_heads_is_refused():
    with pytest.raises(ValueError, match="got text_width 100; wanted a multiple of 3"):
        tiny.video_lm(text_width=100)
