"""A tokenizer that is shown what it was not trained on says so."""

import warnings

import pytest
import tiny_bundle
import torch
from skimage.metrics import peak_signal_noise_ratio

from framecast.data import SpriteWorld
from framecast.sample import UnfamiliarVideoWarning, load_bundle, load_generator
from framecast.sample.fidelity import unfamiliar

PROMPT = "a red circle moves right"
SPRITES = SpriteWorld(num_frames=21, seed=123)


@pytest.fixture(scope="module")
def default():
    return load_generator()


def noise(num_frames: int) -> torch.Tensor:
    return torch.randint(256, (num_frames, 64, 64, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_fidelity_is_the_psnr_of_the_first_frames(default):
    frames = SPRITES[0].frames
    decoded = default.decode(default.encode(frames[:17]))
    expected = peak_signal_noise_ratio(frames[:17].numpy(), decoded.numpy(), data_range=255)
    assert default.fidelity(frames) == pytest.approx(expected, abs=1e-3)
    assert default.fidelity(frames[:20]) == default.fidelity(frames)  # lengths that are no whole latent frames, too
    assert default.fidelity(frames[0]) > 22


def test_sprites_are_known_and_noise_is_not(default):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for index in range(8):
            default.stream(PROMPT, first_frames=SPRITES[index].frames[:5])
    message = (
        r"shows this video with \d+ dB: it was trained on SpriteWorld; train one on your own videos: framecast train my_videos"
    )
    with pytest.warns(UnfamiliarVideoWarning, match=message) as said:
        default.generate(PROMPT, 9, first_frames=noise(5))
    assert said[0].filename == __file__
    with pytest.warns(UnfamiliarVideoWarning, match=message):
        default.stream(PROMPT, first_frames=noise(1))
    with pytest.warns(UnfamiliarVideoWarning, match=message):
        default.animate(noise(1)[0], PROMPT, 5)


def test_tokens_are_not_judged(default):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        default.stream(PROMPT, first_tokens=torch.zeros(1, 8, 8, dtype=torch.int64))


def test_the_threshold_is_that_of_what_it_was_trained_on(default):
    assert load_bundle().codec().trained_on == default.codec.trained_on == "SpriteWorld"
    assert unfamiliar(default.codec, 22.0) is None and "with 15 dB" in (unfamiliar(default.codec, 15.2) or "")
    other = tiny_bundle.generator().codec
    assert other.trained_on == "" and unfamiliar(other, 18.0) is None
    assert "it was trained on other videos" in (unfamiliar(other, 17.0) or "")
