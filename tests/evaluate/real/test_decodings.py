"""Ways of decoding on real clips."""

from dataclasses import replace

import tiny_bundle
from real_videos import SETTINGS, write_folder
from studies import figure

from framecast.evaluate.real.decodings import video_decodings
from framecast.evaluate.study import Study
from framecast.sample import load_bundle


def test_each_way_has_its_nearness_and_its_costs(tmp_path):
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    study = Study(bundle, replace(SETTINGS, clips=2, real=str(write_folder(tmp_path / "videos"))))
    section = video_decodings(study, lambda share: None)
    assert figure(section, "forwards per latent frame, row") == 2 and figure(section, "forwards per latent frame, frame") == 1
    for name in ("token (jacobi)", "row", "frame"):
        assert figure(section, f"time per frame, {name}") > 0 and figure(section, f"PSNR over the first second, {name}") > 0
    apart = figure(section, "PSNR over the first second: row above")
    row, token = (figure(section, f"PSNR over the first second, {name}") for name in ("row", "token (jacobi)"))
    assert abs(apart - (row - token)) < 1e-4
