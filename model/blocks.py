"""Token sequences and blocks: which token is the input at which position, and who may see whom."""

import torch
from einops import rearrange
from torch import Tensor


def to_sequence(tokens: Tensor) -> Tensor:
    """`[B, T, H, W]` -> `[B, S]`: latent frame by latent frame, in raster order inside a frame."""
    return rearrange(tokens, "b t h w -> b (t h w)")


def to_grid(sequence: Tensor, frame_shape: tuple[int, int]) -> Tensor:
    """The inverse of `to_sequence`."""
    height, width = frame_shape
    return rearrange(sequence, "b (t h w) -> b t h w", h=height, w=width)


def block_lengths(frame_shape: tuple[int, int]) -> tuple[int, ...]:
    """The legal block lengths: one token, or as many whole rows as divide a frame, up to the frame."""
    height, width = frame_shape
    return tuple(sorted({1, *(rows * width for rows in range(1, height + 1) if height % rows == 0)}))


def check_block_length(block_length: int, frame_shape: tuple[int, int]) -> None:
    """Raises ValueError unless `block_length` is legal for frames of `frame_shape` tokens."""
    legal = block_lengths(frame_shape)
    if block_length not in legal:
        raise ValueError(
            f"got block_length {block_length}; wanted one of {', '.join(map(str, legal))} for frames of {frame_shape[0]}x"
            f"{frame_shape[1]} tokens: a block is a token, some rows or a frame; choose the nearest"
        )


def check_chunk(num_tokens: int, done: int, first: bool, frame_length: int, block_length: int) -> None:
    """Raises ValueError if a chunk of `num_tokens` would cut a block: its tokens see each other, so they come together.

    Args:
        num_tokens: Tokens of the chunk.
        done: Tokens of the latent frame in the making that came before.
        first: Whether that frame is the first one of the stream, whose tokens are blocks of their own.
        frame_length: Tokens of a latent frame.
        block_length: Tokens of a block from the second latent frame on.
    """
    start, length = (0, max(0, done + num_tokens - frame_length)) if first else (done, num_tokens)
    if start % block_length or length % block_length:
        raise ValueError(
            f"got {num_tokens} tokens after {done} of a latent frame; wanted whole blocks of {block_length}, whose tokens see "
            "each other; feed them up to the end of a block, or with block_length 1"
        )


def shift_tokens(tokens: Tensor, block_length: int, start_id: int) -> Tensor:
    """The inputs of the video LM: at position i the token at i - block_length, in the first latent frame at i - 1.

    The first latent frame is always decoded token by token: with nothing before them, tokens drawn side by side contradict
    each other.

    Args:
        tokens: `[B, T, H, W]`, what is to be predicted.
        block_length: How many tokens one forward predicts from the second latent frame on.
        start_id: The input if there is no earlier token.

    Returns:
        int64 `[B, T * H * W]`.
    """
    frame = tokens.shape[2] * tokens.shape[3]
    sequence = to_sequence(tokens)
    start = sequence.new_full((sequence.shape[0], 1), start_id)
    first = torch.cat([start, sequence[:, : frame - 1]], dim=1)
    return torch.cat([first, sequence[:, frame - block_length : sequence.shape[1] - block_length]], dim=1)


def block_ids(num_tokens: int, offset: int, frame_length: int, block_length: int, device: torch.device) -> Tensor:
    """The block of each of `num_tokens` positions from `offset` on: int64 `[num_tokens]`, growing along the sequence."""
    positions = torch.arange(offset, offset + num_tokens, device=device)
    return torch.where(positions < frame_length, positions, frame_length + positions // block_length)


def block_mask(queries: Tensor, keys: Tensor) -> Tensor:
    """Causal between blocks, open inside one: bool `[Q, K]`, true where the query may see the key."""
    return keys[None, :] <= queries[:, None]
