"""Sequences, shifts and masks of blocks, against their definitions written out."""

import pytest
import torch

from framecast.model import block_lengths, shift_tokens, to_grid, to_sequence
from framecast.model.blocks import block_ids, block_mask, check_block_length, check_chunk


def test_grid_and_sequence_are_inverses():
    tokens = torch.arange(2 * 3 * 2 * 4).reshape(2, 3, 2, 4)
    sequence = to_sequence(tokens)
    assert sequence.shape == (2, 24) and sequence[0].tolist() == list(range(24))
    assert torch.equal(to_grid(sequence, (2, 4)), tokens)
    assert torch.equal(to_sequence(to_grid(sequence, (4, 2))), sequence)


@pytest.mark.parametrize(
    ("frame_shape", "lengths"),
    [((2, 3), (1, 3, 6)), ((4, 2), (1, 2, 4, 8)), ((8, 8), (1, 8, 16, 32, 64)), ((3, 1), (1, 3)), ((1, 1), (1,))],
)
def test_legal_block_lengths(frame_shape, lengths):
    assert block_lengths(frame_shape) == lengths
    for n in range(-1, frame_shape[0] * frame_shape[1] + 2):
        if n in lengths:
            check_block_length(n, frame_shape)
            continue
        with pytest.raises(ValueError, match=f"got block_length {n}; wanted one of {', '.join(map(str, lengths))} for frames"):
            check_block_length(n, frame_shape)


@pytest.mark.parametrize("block_length", [1, 3, 6])
@pytest.mark.parametrize("num_frames", [1, 2, 4])
def test_inputs_are_the_tokens_a_block_before(block_length, num_frames):
    tokens = torch.arange(2 * num_frames * 6).reshape(2, num_frames, 2, 3)
    sequence, inputs = to_sequence(tokens).tolist(), shift_tokens(tokens, block_length, start_id=999).tolist()
    for row in range(2):
        for i in range(num_frames * 6):
            source = i - (1 if i < 6 else block_length)
            assert inputs[row][i] == (999 if source < 0 else sequence[row][source]), (row, i)


@pytest.mark.parametrize("block_length", [1, 3, 6])
def test_a_position_sees_earlier_blocks_and_its_own(block_length):
    """And no input that any position of a block sees is a token of that block: the shift and the mask fit together."""
    blocks = block_ids(18, 0, 6, block_length, torch.device("cpu"))
    mask = block_mask(blocks, blocks)
    block_of = [(0, i) if i < 6 else (i // 6, i % 6 // block_length) for i in range(18)]
    for query in range(18):
        for key in range(18):
            assert mask[query, key] == (block_of[key] <= block_of[query]), (query, key)
            source = key - (1 if key < 6 else block_length)
            if mask[query, key] and source >= 0:
                assert block_of[source] < block_of[query], (query, key)
    assert torch.equal(block_ids(5, 7, 6, block_length, torch.device("cpu")), blocks[7:12])


@pytest.mark.parametrize(
    ("num_tokens", "done", "first"), [(6, 0, False), (3, 3, False), (12, 0, False), (4, 1, True), (5, 1, True), (11, 1, True)]
)
def test_whole_blocks_may_come_in_any_number(num_tokens, done, first):
    check_chunk(num_tokens, done, first, frame_length=6, block_length=3)


@pytest.mark.parametrize(
    ("num_tokens", "done", "first"), [(1, 0, False), (3, 1, False), (4, 0, False), (7, 1, True), (8, 0, True)]
)
def test_a_cut_block_is_refused(num_tokens, done, first):
    with pytest.raises(ValueError, match=f"got {num_tokens} tokens after {done} of a latent frame; wanted whole blocks of 3"):
        check_chunk(num_tokens, done, first, frame_length=6, block_length=3)
    check_chunk(num_tokens, done, first, frame_length=6, block_length=1)
