"""Features that must see a video break."""

import pytest
import tiny
import torch
from einops import rearrange
from torch import Tensor, nn

from framecast.data import SpriteWorld, to_video
from framecast.evaluate.features import FeatureExtractor, TokenizerFeatures
from framecast.evaluate.frechet import FeatureStatistics, frechet_distance


def clips(first: int, num: int = 48) -> Tensor:
    world = SpriteWorld(num_frames=16, size=32)
    return torch.stack([world[index].frames for index in range(first, first + num)])


def slow_pans(seed: int, num: int = 48) -> Tensor:
    """Large spots that slide by a pixel each frame: in a wrong order they jump, everywhere."""
    cells = torch.rand(num, 3, 4, 4, generator=tiny.rng(seed)) * 255
    pictures = nn.functional.interpolate(cells, size=(32, 48), mode="bicubic").clamp(0, 255).to(torch.uint8)
    pans = [pictures[..., t : t + 32] for t in range(16)]
    return rearrange(pans, "t b c h w -> b t h w c")


def test_tokenizer_features_by_hand():
    """The head of the encoder, put on by hand, gives the latents of `encode`, so the features are of what it sees."""
    tokenizer = tiny.tokenizer()
    frames = clips(0, num=2)
    found = TokenizerFeatures(tokenizer, "tiny")(frames[:, :13])  # 1 + 4 * 3: nothing but what `encode` repeats
    seen = []
    tokenizer.encoder.head.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    tokenizer.encode(to_video(frames[:, :13]))
    latents = seen[0].detach().double()  # [B, t, h, w, C]
    parts = [latents.mean((1, 2, 3)), latents.var((1, 2, 3), correction=0).sqrt(), latents.diff(dim=1).abs().mean((1, 2, 3))]
    torch.testing.assert_close(found.double(), torch.cat(parts, dim=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("num_frames", [1, 2, 13, 16])
def test_missing_frames_are_the_first_one(num_frames):
    extractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    frames = clips(0, num=2)[:, :num_frames]
    longer = torch.cat([frames[:, :1].expand(-1, -(num_frames - 1) % 4, -1, -1, -1), frames], dim=1)
    assert extractor(frames).shape == (2, 24) and torch.equal(extractor(frames), extractor(longer))


@pytest.mark.parametrize("broken", ["frozen", "bright", "shuffled"])
def test_tokenizer_features_see_a_video_break(broken):
    """What is broken is further from true videos than other true videos are."""
    extractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    true, others = (slow_pans(0), slow_pans(1)) if broken == "shuffled" else (clips(0), clips(48))
    order = torch.randperm(16, generator=tiny.rng())
    worse = {"frozen": others[:, :1].expand_as(others), "bright": others.clamp(min=60), "shuffled": others[:, order]}
    known, fine, found = (FeatureStatistics.of(extractor(frames)) for frames in (true, others, worse[broken]))
    assert frechet_distance(known, found) > 1.5 * frechet_distance(known, fine)


def test_tokenizer_features_say_what_they_are():
    extractor: FeatureExtractor = TokenizerFeatures(tiny.tokenizer(), "tiny")
    assert extractor.name == "tiny" and not extractor.comparable


@pytest.mark.parametrize("frames", [torch.zeros(2, 16, 32, 32, 3), torch.zeros(16, 32, 32, 3, dtype=torch.uint8)])
def test_extractors_refuse_other_frames(frames):
    with pytest.raises(ValueError, match=r"wanted uint8 \[B, T, H, W, 3\]"):
        TokenizerFeatures(tiny.tokenizer(), "tiny")(frames)


def test_tokenizer_features_refuse_a_size_the_tokenizer_does_not_take():
    with pytest.raises(ValueError, match="got frames of 30x32 pixels; wanted multiples of 8"):
        TokenizerFeatures(tiny.tokenizer(), "tiny")(clips(0, num=1)[:, :, :30])
