"""High dynamic range and wide gamut become the standard picture."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from framecast.data import read_video
from framecast.data.video.tone import WHITE, hlg_to_scene, nits_to_pq, pq_to_nits, tone_curve


def graded(path: Path, signal: np.ndarray, trc: ColorTrc, space: Colorspace, primaries: ColorPrimaries, **options: str) -> Path:
    """Blocks of one colour each, from signals `[N, 3]` in [0, 1], in 10 bits."""
    blocks = np.repeat(np.repeat(signal[None], 16, 0), 16, 1)
    pixels = np.rint(blocks * 65535).astype(np.uint16)
    with av.open(str(path), "w") as container:
        # with B-frames the encoder's threads sometimes end two frames in an order that the muxer refuses
        stream = container.add_stream(
            "libx265", rate=10, options={"x265-params": "log-level=error:lossless=1:bframes=0", **options}
        )
        stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv444p10le"
        stream.codec_context.color_trc, stream.codec_context.color_primaries = trc, primaries
        stream.codec_context.colorspace, stream.codec_context.color_range = space, ColorRange.MPEG
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le")
            frame = frame.reformat(format="yuv444p10le", dst_colorspace=space, dst_color_range=ColorRange.MPEG)
            frame.color_trc, frame.color_primaries, frame.pts = trc, primaries, index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def blocks_of(path: Path) -> np.ndarray:
    """The colour of each block `[N, 3]`."""
    return read_video(path, num_frames=1).frames[0, 8, 8::16].numpy().astype(int)


def test_pq_is_tone_mapped(tmp_path):
    nits = np.array([0, 1, 10, 50, 100, 203, 1000, 4000, 10000])
    grey = np.repeat(nits_to_pq(nits)[:, None], 3, 1)
    path = graded(tmp_path / "pq.mp4", grey, ColorTrc.SMPTE2084, Colorspace.BT2020, ColorPrimaries.BT2020)
    levels = blocks_of(path)
    assert np.ptp(levels, axis=1).max() <= 2 and (np.diff(levels[:, 0]) > 0).all()
    wanted = np.power(tone_curve(nits, 10000.0) / WHITE, 1 / 2.4) * 255
    assert np.abs(levels[:, 0] - wanted).max() <= 3
    assert (
        levels[0, 0] == 0 and 185 <= levels[5, 0] <= 215 and levels[-1, 0] == 255
    )  # paper white is bright and not the brightest


def test_hlg_is_tone_mapped(tmp_path):
    signal = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
    grey = np.repeat(signal[:, None], 3, 1)
    path = graded(tmp_path / "hlg.mp4", grey, ColorTrc.ARIB_STD_B67, Colorspace.BT2020, ColorPrimaries.BT2020)
    levels = blocks_of(path)
    nits = 1000 * hlg_to_scene(signal) ** 1.2
    assert 195 < nits[4] < 210  # by BT.2408, the white of paper at 75 %
    assert np.abs(levels[:, 0] - np.power(tone_curve(nits, 1000.0) / WHITE, 1 / 2.4) * 255).max() <= 3
    assert np.ptp(levels, axis=1).max() <= 2 and (np.diff(levels[:, 0]) > 0).all()


def test_colours_of_a_wide_gamut_are_those_of_the_standard_one(tmp_path):
    to_2020 = np.linalg.inv([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
    light = np.array([[1, 0.2, 0.2], [0.2, 1, 0.2], [0.2, 0.2, 1], [0.6, 0.6, 0.1], [0.5, 0.5, 0.5]])
    wide = np.clip(light @ to_2020.T, 0, 1)
    sdr = graded(tmp_path / "sdr.mp4", wide ** (1 / 2.4), ColorTrc.BT2020_10, Colorspace.BT2020, ColorPrimaries.BT2020)
    assert np.abs(blocks_of(sdr) - 255 * light ** (1 / 2.4)).max() <= 4
    pq = graded(tmp_path / "pq.mp4", nits_to_pq(20 * wide), ColorTrc.SMPTE2084, Colorspace.BT2020, ColorPrimaries.BT2020)
    ratio = (blocks_of(pq) / 255) ** 2.4 / light
    assert np.ptp(ratio, axis=1).max() < 0.02  # dimmer, and of the same colour


@pytest.mark.parametrize("space", [Colorspace.ITU709, Colorspace.SMPTE170M, Colorspace.BT2020])
def test_matrices_are_those_of_the_file(tmp_path, space):
    colours = np.array([[200, 50, 30], [30, 200, 60], [40, 60, 220], [230, 220, 40], [128, 128, 128]])
    path = graded(tmp_path / "a.mp4", colours / 255, ColorTrc.BT709, space, ColorPrimaries.BT709)
    assert np.abs(blocks_of(path) - colours).max() <= 2


def test_curves_are_inverses_and_those_of_the_standard():
    signal = np.linspace(0, 1, 101)
    np.testing.assert_allclose(nits_to_pq(pq_to_nits(signal)), signal, atol=1e-6)
    np.testing.assert_allclose(pq_to_nits(np.array([0.508, 0.751827, 1.0])), [100, 1000, 10000], rtol=0.01)  # ST 2084
    np.testing.assert_allclose(hlg_to_scene(np.array([0.0, 0.5, 1.0])), [0, 1 / 12, 1], atol=1e-4)  # BT.2100
    nits = np.linspace(0, 1000, 1001)
    bent = tone_curve(nits, 1000.0)
    assert (np.diff(bent) > 0).all() and bent[-1] == pytest.approx(WHITE, rel=1e-3)
    np.testing.assert_allclose(bent[nits < 50], nits[nits < 50], rtol=1e-6)  # below the knee nothing changes
