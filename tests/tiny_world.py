"""A whole random world and its bundle: as `tiny_bundle`, with a temporal stride of 2, two buttons, an axis, rewards and ends."""

from functools import cache
from pathlib import Path

import tiny
import tiny_bundle
import torch

from framecast.data import ActionSpace, Axis, Button
from framecast.model import VideoLM
from framecast.sample import VideoGenerator, save_bundle
from framecast.tokenizer import FSQ, VideoTokenizer, VideoTokenizerConfig

STRIDE = 2
SPACE = ActionSpace(
    (Button("left", "ArrowLeft", "turn"), Button("right", "ArrowRight", "turn")), (Axis("gas", ("ArrowDown", "ArrowUp")),)
)
PROMPT = "a red circle moves right"
TOKENIZER = VideoTokenizerConfig(patch_size=2, channels=(8, 8, 8), num_blocks=(1, 1, 1), time_strides=(2, 1))
HEIGHT, WIDTH, FPS, VIDEO = tiny_bundle.HEIGHT, tiny_bundle.WIDTH, tiny_bundle.FPS, tiny_bundle.VIDEO
TRAINING = {"steps": 7, "source": "VideoFolder"}


@cache
def tokenizer() -> VideoTokenizer:
    return tiny.tokenizer(FSQ((3, 4, 5)), TOKENIZER)


@cache
def lm(**changes: object) -> VideoLM:
    """`changes` such as `action_conditioning="film"`, `rewards=False`, `num_actions=0`."""
    world = {"num_actions": SPACE.size, "action_frames": STRIDE, "rewards": True, "ends": True}
    return tiny_bundle.lm(**{**world, **changes})


@cache
def generator(**changes: object) -> VideoGenerator:
    parts = (tokenizer(), lm(**changes), tiny_bundle.text_tokenizer())
    return VideoGenerator(*parts, HEIGHT, WIDTH, FPS, name="tiny world", action_space=SPACE)


def actions(num_frames: int, seed: int = 0) -> torch.Tensor:
    """Random actions float32 `[T, 3]`, the first of which is unknown."""
    rows = torch.zeros(num_frames, SPACE.size)
    rows[:, 2] = torch.rand(num_frames, generator=tiny.rng(seed)) * 2 - 1
    turns = torch.randint(3, (num_frames,), generator=tiny.rng(seed + 1))
    rows[turns == 0, 0], rows[turns == 1, 1] = 1.0, 1.0
    rows[0] = torch.nan
    return rows


def save(folder: Path, **changes: object) -> Path:
    """Saves it as a bundle; `changes` are arguments of `save_bundle`."""
    parts = {"tokenizer": tokenizer(), "lm": lm(), "text_tokenizer": tiny_bundle.text_tokenizer()}
    about = {"video": VIDEO, "training": TRAINING, "action_space": SPACE}
    return save_bundle(folder, **{**parts, **about, **changes})  # type: ignore[arg-type]
