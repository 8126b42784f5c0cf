"""Trains the tokenizer of an arm; the video LM is trained as that of a world without actions."""

import torch
from torch import Tensor

from framecast.tokenizer import VideoTokenizer

from ..worlds.clips import Clips
from ..worlds.training import CLIP_FRAMES, CLIPS_A_STEP, TOKENIZER_RECIPE, Trained, run_steps
from .arms import Arm

_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


def train_tokenizer(arm: Arm, clips: Clips, steps: int, seed: int = 0) -> Trained[VideoTokenizer]:
    """Trains the tokenizer of an arm on stretches of random clips."""
    torch.manual_seed(seed)
    tokenizer, generator, steady = arm.tokenizer(), torch.Generator().manual_seed(1 + seed), arm.steadiness

    def loss() -> Tensor:
        video = clips.draw(CLIPS_A_STEP, CLIP_FRAMES, generator).video()
        output = tokenizer(steady.through_noise(video) if steady.weight else video)
        found = arm.loss(*(weighed(each, arm.chroma) for each in (output.video.float(), video))) + output.quantized.loss.float()
        return found + steady.weight * steady.loss(output.quantized, tokenizer, video) if steady.weight else found

    return Trained(tokenizer, run_steps(tokenizer, loss, TOKENIZER_RECIPE, steps, "tokenizer", after=lambda step: None))


def weighed(video: Tensor, chroma: float) -> Tensor:
    """The video `[B, 3, T, H, W]` with what differs from its brightness times `chroma`."""
    if chroma == 1:
        return video
    luma = (video * video.new_tensor(_LUMA).view(1, 3, 1, 1, 1)).sum(dim=1, keepdim=True)
    return luma + chroma * (video - luma)
