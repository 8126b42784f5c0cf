"""How long a step takes on this machine: ten steps of each network, made and thrown away before the long work."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from ...data import ClipSource, to_video
from ...data.loading import WatchedLoader
from ...data.sampler import ResumableSampler
from ...machine import bfloat16_pays
from ...model import VideoLM, VideoLMConfig, VideoLMShape, shift_tokens, to_sequence
from ...sample import VideoGenerator
from ...tokenizer import FSQ, TextTokenizer, VideoTokenizer, VideoTokenizerConfig
from ..clip_data import collate_clips
from ..losses import ReconstructionLoss
from ..optim import AdamWConfig
from ..trainer import best_device

STEPS = 10
_TEXT_IDS = 512
_MADE = 4  # latent frames, after those that warm up
_FORWARD = 1 / 3  # of the time of a step, without its backward pass
_OVERHEAD, _FIXED = 1.08, 0.01  # what the trainer, the averages and the checkpoints add, as a factor and in seconds a step


@dataclass(frozen=True)
class Speed:
    """What a step costs."""

    step: float
    """Seconds of a training step, with the loading of its clips."""
    clip: float
    """Seconds to make or to check a clip without gradients."""
    parameters: int
    """Numbers in the network."""


def tokenizer_speed(
    shape: VideoTokenizerConfig,
    levels: tuple[int, ...],
    loss: ReconstructionLoss,
    source: ClipSource,
    batch_size: int,
    num_workers: int,
    limit: float,
) -> Speed:
    """Ten steps of a tokenizer on the clips of `source`; fewer, but at least two, if they take longer than `limit` seconds."""
    device = best_device("auto")
    network = VideoTokenizer(shape, FSQ(levels)).to(device)
    optimizer = AdamWConfig().optimizer(network)
    batches = _batches(source, batch_size, num_workers)

    def step() -> None:
        video = to_video(next(batches)["frames"].to(device))
        with _precision(device):
            output = network(video)
            total = loss(output.video, video) + output.quantized.loss
        _descend(total, optimizer, device)

    seconds = _timed(step, limit)
    return Speed(seconds, seconds / batch_size * _FORWARD, _count(network))


def lm_speed(shape: VideoLMShape, codes: int, frame_shape: tuple[int, int], frames: int, batch_size: int, limit: float) -> Speed:
    """Ten steps of a video LM on random tokens of `frames` latent frames; fewer if they take longer than `limit` seconds."""
    device = best_device("auto")
    own = {name: getattr(shape, name) for name in VideoLMShape.__dataclass_fields__}
    config = VideoLMConfig(**own, codebook_size=codes, frame_shape=frame_shape, text_vocab_size=_TEXT_IDS)
    network = VideoLM(config).to(device)
    optimizer = AdamWConfig().optimizer(network)
    tokens = torch.randint(codes, (batch_size, frames, *frame_shape), device=device)
    ids = torch.randint(3, _TEXT_IDS, (batch_size, 1, min(shape.max_prompt_length, 16)), device=device)
    starts, row = torch.zeros(batch_size, 1, dtype=torch.int64, device=device), frame_shape[1]

    def step() -> None:
        with _precision(device):
            prompts = network.encode_prompts(ids, torch.ones_like(ids, dtype=torch.bool), starts, frames)
            hidden = network(shift_tokens(tokens, row, network.start_id), prompts, row).hidden
            nats = network.vocabulary.loss(hidden, to_sequence(tokens)).nll.mean()
        _descend(nats, optimizer, device)

    seconds = _timed(step, limit)
    return Speed(seconds, seconds / batch_size * _FORWARD, _count(network))


def making_speed(
    shape: VideoTokenizerConfig, levels: tuple[int, ...], lm_shape: VideoLMShape, frames: tuple[int, int, float], guided: bool
) -> float:
    """Seconds to make a frame with networks of these sizes, as a stream of its own on the CPU.

    Args:
        shape: The tokenizer.
        levels: Of its quantizer.
        lm_shape: The video LM.
        frames: Their rows, their columns and their rate.
        guided: Whether each frame is made with guidance, which takes two passes.
    """
    height, width, fps = frames
    text = TextTokenizer.train(["a video"], _TEXT_IDS)
    own = {name: getattr(lm_shape, name) for name in VideoLMShape.__dataclass_fields__}
    grid = (height // shape.spatial_stride, width // shape.spatial_stride)
    config = VideoLMConfig(**own, codebook_size=prod(levels), frame_shape=grid, text_vocab_size=text.vocab_size)
    networks = VideoTokenizer(shape, FSQ(levels)).eval(), VideoLM(config).eval()
    stream = VideoGenerator(*networks, text, height, width, fps).stream("a video", seed=0, guidance_scale=float(guided))
    warm, made = 1 + shape.temporal_stride, _MADE * shape.temporal_stride
    for _ in range(warm):
        next(stream)
    started = time.perf_counter()
    for _ in range(made):
        next(stream)
    return (time.perf_counter() - started) / made


def peak_memory() -> int:
    """Bytes that this process has held at most; on a GPU those of its tensors."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024


def _batches(source: ClipSource, batch_size: int, num_workers: int) -> Iterator[dict[str, Tensor]]:
    """Batches as the training loads them."""
    while True:
        loader = WatchedLoader(source, batch_size, collate_clips, num_workers, sampler=ResumableSampler(len(source), seed=0))
        yield from loader


def _descend(loss: Tensor, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _timed(step: Callable[[], None], limit: float) -> float:
    """Seconds of a step, after one that warms up."""
    step()
    started, steps = time.perf_counter(), 0
    while steps < STEPS and (steps < 2 or time.perf_counter() - started < limit):
        step()
        steps += 1
    return (time.perf_counter() - started) / steps * _OVERHEAD + _FIXED


def _precision(device: torch.device) -> AbstractContextManager[object]:
    """As `precision: auto` computes."""
    return torch.autocast(device.type, torch.bfloat16) if bfloat16_pays(device) else nullcontext()


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
