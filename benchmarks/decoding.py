"""Decoding of a video LM of 28M parameters beside Hugging Face's Llama of the same shape: P1, P2 and P3."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from framecast.model import PromptMemory, VideoLM, VideoLMConfig
from framecast.model.cache import LMState
from framecast.sample import SamplingParams
from framecast.sample.decodings import NextFrame, in_order
from framecast.sample.kernels import prepared
from framecast.sample.sampling import Chooser

from .timing import Contest, Work, dtypes_of, name_of

WIDTH, LAYERS, HEADS, MLP, VOCABULARY = 512, 8, 8, 1536, 1024
ROWS, COLUMNS = 16, 16
FRAME = ROWS * COLUMNS
PROMPT = 8
"""Text ids."""


def contests(device: torch.device) -> Iterator[Contest]:
    """One latent frame of 256 tokens after another one, greedily; the peer continues 256 tokens by as many."""
    for dtype in dtypes_of(device):
        for batch, target in ((1, ">= 1.5 (P1)"), (8, ">= 2.5 (P1)")):
            lm, sizes = video_lm(dtype, device), f"28M, {name_of(dtype)}, batch {batch}"
            contest = Contest(
                f"decode token by token, {sizes}",
                frame_by(lm, 1, batch),
                FRAME * batch,
                "token",
                llama(dtype, device, batch),
                "transformers Llama",
                target,
                dtype,
                num_bytes=FRAME * bytes_of(lm, batch),
                operations=2 * FRAME * batch * parameters(lm),
            )
            yield contest
            if batch == 1:
                yield replace(
                    contest,
                    name=f"decode by rows of {COLUMNS}, {sizes}",
                    ours=frame_by(lm, COLUMNS, batch),
                    peer_name=f"{contest.peer_name}, by token",
                    target=">= 10 (P1)",
                    num_bytes=contest.num_bytes / COLUMNS,
                )
    yield from free_rows(device)


def free_rows(device: torch.device) -> Iterator[Contest]:
    """Forwards of several tokens beside a forward of one, in the fastest dtype; the ratio is how much of that they cost."""
    dtype = dtypes_of(device)[0]
    lm = video_lm(dtype, device)
    one = forward(lm, 1)
    for tokens, target in ((16, ">= 0.77 (P3)"), (32, ">= 0.67 (P3)")):
        name = f"forward of {tokens} tokens, 28M, {name_of(dtype)}"
        yield Contest(name, forward(lm, tokens), 1, "forward", one, "ours, 1 token", target, dtype, bytes_of(lm, 1))


def video_lm(dtype: torch.dtype, device: torch.device) -> VideoLM:
    """Random weights; the transformer is the peer's, with text in one layer beside it."""
    torch.manual_seed(0)
    config = VideoLMConfig(
        width=WIDTH,
        num_layers=LAYERS,
        num_heads=HEADS,
        num_kv_heads=HEADS,
        mlp_width=MLP,
        cross_every=LAYERS,
        context_frames=3,
        codebook_size=VOCABULARY,
        frame_shape=(ROWS, COLUMNS),
        text_vocab_size=VOCABULARY,
    )
    lm = VideoLM(config).eval().to(device, dtype)
    lm = prepared(lm)
    return lm


def llama(dtype: torch.dtype, device: torch.device, batch: int) -> Work | None:
    """`generate` of the peer, if it is installed."""
    try:
        from transformers import LlamaConfig, LlamaForCausalLM
    except ImportError:
        return None
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=MLP,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=4 * FRAME,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).eval().to(device, dtype)
    tokens = torch.randint(VOCABULARY, (batch, FRAME), device=device)
    seen = torch.ones_like(tokens)

    @torch.inference_mode()
    def work() -> Tensor:
        return model.generate(tokens, attention_mask=seen, max_new_tokens=FRAME, do_sample=False, use_cache=True)

    return work


def frame_by(lm: VideoLM, block_length: int, batch: int) -> Work:
    """Finds the second latent frame after a first one."""
    prompts, (start, tokens) = encoded_prompts(lm, batch), after_a_frame(lm, batch)
    greedy = SamplingParams(temperature=0)
    noise = torch.zeros(batch, FRAME, dtype=torch.float64, device=tokens.device)

    @torch.inference_mode()
    def work() -> None:
        frame = NextFrame(lm, start.clone(), prompts, tokens, block_length)
        in_order(frame, lambda places: Chooser(greedy, noise[:, places]))

    return work


def forward(lm: VideoLM, block_length: int) -> Work:
    """One forward of the first tokens of the second latent frame, as one block of whole rows, or one token."""
    prompts, (state, tokens) = encoded_prompts(lm, 1), after_a_frame(lm, 1)

    @torch.inference_mode()
    def work() -> None:
        lm(tokens[:, :block_length], prompts, block_length, state)
        lm.rewind(state, 0)

    return work


@torch.inference_mode()
def after_a_frame(lm: VideoLM, batch: int) -> tuple[LMState, Tensor]:
    """A state that has seen one latent frame, and its tokens."""
    tokens = torch.randint(VOCABULARY, (batch, FRAME), device=lm.places.weight.device)
    state = lm.init_state(batch)
    lm(tokens, encoded_prompts(lm, batch), 1, state)
    return state, tokens


@torch.inference_mode()
def encoded_prompts(lm: VideoLM, batch: int, text_vocab_size: int = VOCABULARY) -> PromptMemory:
    """One prompt for each stream."""
    ids = torch.randint(text_vocab_size, (batch, 1, PROMPT), device=lm.places.weight.device)
    return lm.encode_prompts(ids, torch.ones_like(ids, dtype=torch.bool))


def parameters(lm: VideoLM) -> int:
    """Those that every forward uses."""
    return sum(parameter.numel() for parameter in [*lm.layers.parameters(), *lm.vocabulary.parameters()])


def bytes_of(lm: VideoLM, batch: int) -> int:
    """What a forward reads at the least: weights once, and the cache of one and a half latent frames of every stream."""
    element = lm.places.weight.element_size()
    cache = lm.init_state(1).layers[0].keys.element_size() * batch * 2 * LAYERS * WIDTH * FRAME * 3 // 2
    return parameters(lm) * element + cache
