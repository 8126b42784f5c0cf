"""A small folder of captioned real video, and studies of a tiny generator on it whose continuations are known."""

from functools import cache
from pathlib import Path

import numpy as np
import tiny_bundle
import torch
from torch import Tensor
from video_folders import write_captions

from framecast.data import CaptionedClip, write_video
from framecast.evaluate import Settings
from framecast.evaluate.study import Study
from framecast.sample import load_bundle

SETTINGS = Settings(clips=4, long_clips=2, long_frames=97)
CAPTIONS = ("a red circle moves right", "a blue square moves up", "a ring falls", "a red ring moves up")


def write_folder(folder: Path, num_frames: int = 50, captions: tuple[str, ...] = CAPTIONS) -> Path:
    """Videos of a soft spot that moves a pixel each frame, one for each caption."""
    folder.mkdir(exist_ok=True)
    for index in range(len(captions)):
        write_video(folder / f"video{index}.mkv", spot(num_frames, index), tiny_bundle.FPS)
    write_captions(folder, *({"file": f"video{index}.mkv", "caption": text} for index, text in enumerate(captions)))
    return folder


def spot(num_frames: int, seed: int = 0) -> np.ndarray:
    """uint8 `[T, 16, 24, 3]`: a spot on a textured ground."""
    rows, columns = np.mgrid[:16, :24]
    place = (np.arange(num_frames) + 5 * seed)[:, None, None] % 24
    light = np.exp(-((columns - place) ** 2 + (rows - 8) ** 2) / 12.0)
    ground = 60 + 20 * np.sin(columns / 2 + seed) * np.cos(rows / 3)
    colour = np.array([170, 90 + 20 * seed, 60])
    return np.clip(ground[None, ..., None] + light[..., None] * colour, 0, 255).astype(np.uint8)


@cache
def bundle_at(folder: Path):
    return load_bundle(tiny_bundle.save(folder, training={"source": "SpriteWorld"}))


class Known(Study):
    """A study whose generator goes on as `future` says: from a true clip, its caption and the seed to frames of any length."""

    def __init__(self, bundle, settings: Settings, future):
        super().__init__(bundle, settings)
        self.future = future

    def go_on(self, clips, prompts, progress, num_frames=None, params=None, seed=0) -> list[Tensor]:
        length, given = num_frames or self.held_out.num_frames, self.held_out.given
        made = [self.future(clip, prompt, seed, length) for clip, prompt in zip(clips, prompts, strict=True)]
        return [torch.cat([clip.frames[:given], frames[given:length]]) for clip, frames in zip(clips, made, strict=True)]


def truth(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """What truly comes, and then the same again."""
    times = -(-length // len(clip.frames))
    return clip.frames.repeat(times, 1, 1, 1)[:length]


def still(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """The last given frame of 17, for ever."""
    return torch.cat([clip.frames[:17], clip.frames[16:17].expand(length - 17, -1, -1, -1)])


def wild(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """Frames in no order."""
    order = torch.randperm(length, generator=torch.Generator().manual_seed(3)) % len(clip.frames)
    return clip.frames[order]


def fading(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """What truly comes, darker and darker."""
    light = torch.linspace(1, 0.3, length)[:, None, None, None]
    return (truth(clip, prompt, seed, length) * light).to(torch.uint8)


def deaf(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """What depends on the seed and not on the prompt."""
    return truth(clip, prompt, seed, length).roll(seed, dims=2)


def obedient(clip: CaptionedClip, prompt, seed: int, length: int) -> Tensor:
    """What depends on the prompt and not on the seed."""
    return truth(clip, prompt, seed, length).roll(len(str(prompt)), dims=2)
