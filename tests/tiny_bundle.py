"""A whole random generator and its bundle: frames of 16x24 pixels, 2x3 tokens, a temporal stride of 4."""

from functools import cache
from pathlib import Path

import tiny
import torch

from framecast.model import VideoLM
from framecast.sample import VideoGenerator, save_bundle
from framecast.tokenizer import FSQ, TextTokenizer, VideoTokenizer

HEIGHT, WIDTH, FPS = 16, 24, 12.0
FRAME_SHAPE = (2, 3)
VIDEO = {"height": HEIGHT, "width": WIDTH, "fps": FPS}
TRAINING = {"steps": 7, "source": "SpriteWorld"}
MAX_PROMPT_LENGTH = 24


@cache
def tokenizer() -> VideoTokenizer:
    return tiny.tokenizer(FSQ((3, 4, 5)))


@cache
def text_tokenizer() -> TextTokenizer:
    return TextTokenizer.train(["a red circle moves right", "a blue square moves up", "a ring falls"], vocab_size=300)


@cache
def lm(**changes: int) -> VideoLM:
    sizes = {"codebook_size": 60, "frame_shape": FRAME_SHAPE, "text_vocab_size": text_tokenizer().vocab_size}
    shape = {"num_layers": 2, "cross_every": 1, "max_prompt_length": MAX_PROMPT_LENGTH}
    return tiny.video_lm(**{**sizes, **shape, **changes})


@cache
def generator(**changes: int) -> VideoGenerator:
    return VideoGenerator(tokenizer(), lm(**changes), text_tokenizer(), HEIGHT, WIDTH, FPS)


def frames(num_frames: int, seed: int = 0) -> torch.Tensor:
    """Random frames uint8 `[T, 16, 24, 3]`."""
    return torch.randint(256, (num_frames, HEIGHT, WIDTH, 3), generator=tiny.rng(seed)).to(torch.uint8)


def save(folder: Path, **changes: object) -> Path:
    """Saves it as a bundle; `changes` are arguments of `save_bundle`."""
    parts = {"tokenizer": tokenizer(), "lm": lm(), "text_tokenizer": text_tokenizer(), "video": VIDEO, "training": TRAINING}
    return save_bundle(folder, **{**parts, **changes})  # type: ignore[arg-type]
