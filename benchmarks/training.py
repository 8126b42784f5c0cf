"""A training step of the video LM beside one of GPT-2 of the same width and depth, and what Lightning adds to steps: P8."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from framecast.machine import bfloat16_pays
from framecast.model import VideoLM, VideoLMConfig, shift_tokens, to_sequence
from framecast.train import EMA, CodebookGuard, Throughput
from framecast.train.module import TrainingModule
from framecast.train.trainer import Trainer

from .recipes import CLIP_NORM, TRAININGS, LoopByHand
from .timing import Contest, Work, dtypes_of

WIDTH, LAYERS, HEADS = 256, 6, 4
CLIPS, FRAMES, ROWS, COLUMNS = 16, 5, 8, 8
VOCABULARY = 1000
TOKENS = CLIPS * FRAMES * ROWS * COLUMNS
STEPS = 20
"""Steps of a turn beside Lightning, whose start is part of its time."""


def contests(device: torch.device) -> Iterator[Contest]:
    """Forward, backward and a fused AdamW step in the faster precision; 16 clips of 5 latent frames of 64 tokens."""
    dtype = dtypes_of(device)[0]
    autocast = "bfloat16 autocast" if dtype == torch.bfloat16 else "float32"
    lm = VideoLM(
        VideoLMConfig(
            width=WIDTH,
            num_layers=LAYERS,
            num_heads=HEADS,
            num_kv_heads=HEADS,
            mlp_width=8 * WIDTH // 3,
            codebook_size=VOCABULARY,
            frame_shape=(ROWS, COLUMNS),
            text_vocab_size=VOCABULARY,
        )
    ).to(device)
    weights = sum(parameter.numel() for parameter in lm.parameters())
    yield Contest(
        f"training step, width {WIDTH}, {LAYERS} layers, {autocast}, {TOKENS:,} tokens",
        step(lm, lambda: video_loss(lm, device)),
        TOKENS,
        "token",
        gpt(device),
        "transformers GPT-2",
        ">= 1 (P8)",
        dtype,
        operations=6 * weights * TOKENS,
    )
    warnings.filterwarnings("ignore", module="lightning")  # on logging without a trainer, and on few workers
    for name, make in TRAININGS.items():
        yield Contest(
            f"training step of the {name} in Lightning",
            in_lightning(*make(), device.type),
            STEPS,
            "step",
            by_hand(*make(), device.type),
            "ours, without Lightning",
            ">= 0.91 (P8)",
            dtype,
        )


def in_lightning(module: TrainingModule, batch: dict[str, Any], device: str) -> Work:
    """Steps of a trainer with all callbacks of `framecast train` but the bar, checkpoints, pictures and the export."""

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # it introduces itself at every turn

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                accelerator=device,
                devices=1,
                max_steps=STEPS,
                gradient_clip_val=CLIP_NORM,
                logger=TensorBoardLogger(folder),
                callbacks=[LearningRateMonitor(), EMA(), CodebookGuard(), Throughput()],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(module, DataLoader([batch] * STEPS, batch_size=None))  # type: ignore[arg-type]

    return work


def by_hand(module: TrainingModule, batch: dict[str, Any], device: str) -> Work:
    """As many steps in a plain loop."""
    loop = LoopByHand(module, batch, device)
    return lambda: loop(STEPS)


def video_loss(lm: VideoLM, device: torch.device) -> Tensor:
    """The loss by rows, with a prompt for every clip."""
    tokens = torch.randint(VOCABULARY, (CLIPS, FRAMES, ROWS, COLUMNS), device=device)
    ids = torch.randint(VOCABULARY, (CLIPS, 1, 16), device=device)
    prompts = lm.encode_prompts(ids, torch.ones_like(ids, dtype=torch.bool))
    hidden = lm(shift_tokens(tokens, COLUMNS, lm.start_id), prompts, COLUMNS).hidden
    return lm.vocabulary.loss(hidden, to_sequence(tokens)).nll.mean()


def gpt(device: torch.device) -> Work | None:
    """The peer's step on as many tokens in sequences as long, if it is installed."""
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None
    length = FRAMES * ROWS * COLUMNS
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=length,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = GPT2LMHeadModel(config).to(device).train()

    def loss() -> Tensor:
        tokens = torch.randint(VOCABULARY, (CLIPS, length), device=device)
        return model(tokens, labels=tokens).loss

    return step(model, loss)


def step(network: nn.Module, loss: Callable[[], Tensor]) -> Work:
    """One step of training on a loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    device = next(network.parameters()).device.type
    mixed = bfloat16_pays(device)

    def work() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=mixed):
            value = loss()
        value.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return work
