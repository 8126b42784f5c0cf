"""What a bundle does: its first frame, encoding, detokenizing, and generating by every kind of decoding: P12."""

from collections.abc import Iterator

import torch

from framecast.data import SpriteWorld, to_video
from framecast.sample import SamplingParams, VideoGenerator

from .timing import Contest, Work

PROMPT = "a large red circle moves right"
CLIP_FRAMES = 33


def contests(generator: VideoGenerator) -> Iterator[Contest]:
    """Each kind of decoding beside token-by-token decoding of the same clip."""
    clip = to_video(SpriteWorld(num_frames=CLIP_FRAMES, size=generator.height)[0].frames)[None].to(generator.device)
    with torch.inference_mode():
        tokens = generator.tokenizer.encode(clip)
    yield Contest("first frame", lambda: next(generator.stream(PROMPT)), 1, "stream", target="<= 1 s (P12)")
    yield Contest("encode", torch.inference_mode()(lambda: generator.tokenizer.encode(clip)), CLIP_FRAMES, "frame")
    yield Contest("detokenize, latent frame by latent frame", lambda: generator.decode(tokens[0]), CLIP_FRAMES, "frame")
    by_token = generate(generator, "token")
    for decoding in ("jacobi", "row", "frame"):
        work, name = generate(generator, decoding), f"generate by {decoding}"
        yield Contest(name, work, CLIP_FRAMES, "frame", by_token, "ours, by token", "<= 41 ms (P12)")


def generate(generator: VideoGenerator, decoding: str) -> Work:
    """One clip with guidance."""
    params = SamplingParams(decoding=decoding)
    return lambda: generator.generate(PROMPT, CLIP_FRAMES, params=params)
