"""The video LM once more, slowly and without a cache: explicit masks, explicit positions, a softmax written out.

What the fast one is compared with. Every latent frame attends by itself to a list of frames at stated places.
"""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from framecast.model import ActionVectors, PromptMemory, VideoLM


def visible_frames(frame: int, sink_frames: int, context_frames: int) -> list[tuple[int, int]]:
    """The finished latent frames that `frame` sees, each with the time at which it seems to lie."""
    window = [(past, past) for past in range(max(0, frame - context_frames), frame)]
    sink = [past for past in range(min(sink_frames, frame)) if past < frame - context_frames]
    return [(past, frame - context_frames - len(sink) + past) for past in sink] + window


def slow_hidden(
    lm: VideoLM, inputs: Tensor, prompts: PromptMemory, block_length: int, actions: ActionVectors | None = None
) -> Tensor:
    """What `lm(inputs, prompts, block_length, actions=actions).hidden` should be, `[B, S, E]`, for a stream of any length."""
    length, frame = inputs.shape[1], lm.frame_length
    kinds = {1: 0, **{n: i for i, n in enumerate(sorted({1, *_row_blocks(lm.config.frame_shape)}))}}
    x = lm.vocabulary.embed(inputs)
    for i in range(length):
        kind = 0 if i < frame else kinds[block_length]
        x[:, i] += lm.places.weight[i % frame] + lm.kinds.weight[kind]
        if actions is not None and actions.added is not None:
            x[:, i] += actions.added[:, i // frame]
    embedded = x
    for index, layer in enumerate(lm.layers):
        if layer.skip is not None:
            x = layer.skip[0] * x + layer.skip[1] * embedded
        normed = _filmed(norm(x, layer.attention_norm), actions, index, 0, frame)
        x = x + _self_attention(lm, layer, normed, inputs, block_length)
        if layer.cross is not None:
            x = x + _cross_attention(lm, layer, x, prompts, index // lm.config.cross_every)
        normed = _filmed(norm(x, layer.mlp_norm), actions, index, 2, frame)
        gate, value = (normed @ layer.mlp.up.weight.T).chunk(2, dim=-1)
        x = x + (gate * gate.sigmoid() * value) @ layer.mlp.down.weight.T
    return norm(x, lm.norm)


def _row_blocks(frame_shape: tuple[int, int]) -> list[int]:
    height, width = frame_shape
    return [rows * width for rows in range(1, height + 1) if height % rows == 0]


def _filmed(x: Tensor, actions: ActionVectors | None, layer: int, place: int, frame: int) -> Tensor:
    if actions is None or actions.films is None:
        return x
    scales, shifts = actions.films[:, :, layer, place], actions.films[:, :, layer, place + 1]
    rows = [x[:, i] + x[:, i] * scales[:, i // frame] + shifts[:, i // frame] for i in range(x.shape[1])]
    return torch.stack(rows, dim=1)


def norm(x: Tensor, layer: torch.nn.Module) -> Tensor:
    return x / (x.square().mean(dim=-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt() * layer.weight


def _self_attention(lm: VideoLM, layer: torch.nn.Module, normed: Tensor, inputs: Tensor, block_length: int) -> Tensor:
    config, frame, head = lm.config, lm.frame_length, lm.head_dim
    heads = (normed @ layer.attention.qkv.weight.T).unflatten(-1, (-1, head)).transpose(1, 2)
    queries, keys, values = heads.split([config.num_heads, config.num_kv_heads, config.num_kv_heads], dim=1)
    own_values = layer.attention.value_embedding
    if own_values is not None:
        vectors = own_values.table.weight[inputs].unflatten(-1, (-1, head)).transpose(1, 2)
        gates = 2 / (1 + (-(normed[..., :16] @ own_values.gate.T)).exp())
        values = values + gates.transpose(1, 2)[..., None] * vectors
    queries, keys = norm(queries, layer.attention.query_norm), norm(keys, layer.attention.key_norm)
    share = config.num_heads // config.num_kv_heads
    keys, values = (part.repeat_interleave(share, dim=1) for part in (keys, values))
    results = []
    for t in range(math.ceil(normed.shape[1] / frame)):
        own = range(t * frame, min((t + 1) * frame, normed.shape[1]))
        seen = [*visible_frames(t, config.sink_frames, config.context_frames), (t, t)]
        kept = [i for past, _ in seen for i in range(past * frame, min((past + 1) * frame, normed.shape[1]))]
        turned = torch.cat([turn(keys[:, :, past * frame :][:, :, :frame], time, lm) for past, time in seen], dim=2)
        scores = turn(queries[:, :, own.start : own.stop], t, lm) @ turned.transpose(-1, -2) / math.sqrt(head)
        allowed = torch.tensor([[_may_see(q, k, frame, block_length) for k in kept] for q in own])
        weights = scores.masked_fill(~allowed, -math.inf).exp()
        results.append((weights / weights.sum(dim=-1, keepdim=True)) @ values[:, :, kept])
    joined = torch.cat(results, dim=2).transpose(1, 2).flatten(2)
    return joined @ layer.attention.out.weight.T


def _may_see(query: int, key: int, frame: int, block_length: int) -> bool:
    """Whether position `key` is of an earlier frame, an earlier block of the frame, or the query's own block."""
    if key // frame != query // frame:
        return key < query
    block = 1 if query < frame else block_length
    return key % frame // block <= query % frame // block


def turn(x: Tensor, time: int, lm: VideoLM) -> Tensor:
    """Rotates tokens `[B, N, n, D]`, the first n of a latent frame that lies at `time`, pair by pair."""
    table = angles(time, lm.config.frame_shape, lm.head_dim)[: x.shape[2]]
    first, second = x[..., : lm.head_dim // 2], x[..., lm.head_dim // 2 :]
    return torch.cat([first * table.cos() - second * table.sin(), second * table.cos() + first * table.sin()], dim=-1)


@cache
def angles(time: int, frame_shape: tuple[int, int], head_dim: int) -> Tensor:
    """The angle of every pair of every token of a latent frame, `[h * w, D / 2]`: bands for t, h and w, one after the other."""
    space = head_dim * 5 // 32
    rows = []
    for row in range(frame_shape[0]):
        for column in range(frame_shape[1]):
            bands = [(time, head_dim // 2 - 2 * space, 10_000.0), (row, space, 100.0), (column, space, 100.0)]
            rows.append([place / base ** (i / pairs) for place, pairs, base in bands for i in range(pairs)])
    return torch.tensor(rows)


def _cross_attention(lm: VideoLM, layer: torch.nn.Module, x: Tensor, prompts: PromptMemory, place: int) -> Tensor:
    queries = (norm(x, layer.cross_norm) @ layer.cross.query.weight.T).unflatten(-1, (-1, lm.head_dim)).transpose(1, 2)
    queries = norm(queries, layer.cross.query_norm)
    share = lm.config.num_heads // lm.config.num_kv_heads
    keys, values = (part[:, place].repeat_interleave(share, dim=1) for part in (prompts.keys, prompts.values))
    frames = [i // lm.frame_length if prompts.mask.shape[1] > 1 else 0 for i in range(x.shape[1])]
    mask = prompts.mask[:, frames][:, None]
    result = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    return result.transpose(1, 2).flatten(2) @ layer.cross.out.weight.T
