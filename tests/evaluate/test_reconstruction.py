"""What the tokenizer loses."""

from dataclasses import replace

import numpy as np
import pytest
import real_videos
import tiny_bundle
from studies import Oracle, figure

from framecast.data import write_video
from framecast.evaluate import reconstruction
from framecast.evaluate.study import Study
from framecast.sample import load_bundle


def test_the_tokenizer_section_measures_reconstructions():
    section = reconstruction.tokenizer_on_sprites(Oracle(), lambda share: None)
    assert 20 < figure(section, "PSNR") < 45 and 85 < figure(section, "codes in use") <= 100
    assert figure(section, "bits per pixel") == pytest.approx(9 * 64 * np.log2(1000) / (33 * 64 * 64))


def test_sources_of_real_video_stand_apart_the_worst_first(tmp_path):
    for name, grain in (("smooth", 0), ("noisy", 120)):
        (tmp_path / name).mkdir()
        noise = np.random.default_rng(0).integers(0, grain + 1, (17, 16, 24, 3))
        for index in range(2):
            write_video(
                tmp_path / name / f"{index}.mkv", (real_videos.spot(17, index) / 2 + noise).astype(np.uint8), tiny_bundle.FPS
            )
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    section = reconstruction.tokenizer_on_videos(
        Study(bundle, replace(real_videos.SETTINGS, real=str(tmp_path))), lambda share: None
    )
    sources = [each for each in section.figures if each.grid]
    assert {each.grid[1]: each.count for each in sources} == {"smooth": 2, "noisy": 2}
    assert sources[0].value < sources[1].value
    assert 0 <= figure(section, "tokens that repeat in a still scene with noise of 2 levels") <= 100
    assert np.mean([each.value for each in sources]) == pytest.approx(figure(section, "PSNR of the reconstruction"))
