"""Pictures that move."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import encode_apng, encode_gif, encode_webp


@pytest.mark.parametrize("fps", [12, 30, 7.5])
@pytest.mark.parametrize(("encode", "tick"), [(encode_apng, 1), (encode_webp, 1), (encode_gif, 10)])
def test_animations_keep_frames_and_do_not_drift(encode, tick, fps):
    frames = np.random.default_rng(0).integers(0, 256, (25, 8, 9, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode(torch.from_numpy(frames), fps))) as image:
        assert image.n_frames == 25
        seconds = 0.0
        for index in range(25):
            image.seek(index)
            picture = np.asarray(image.convert("RGB"))
            seconds += image.info["duration"] / 1000
            assert abs(seconds - (index + 1) / fps) <= tick / 2000 + 1e-6
            np.testing.assert_array_equal(picture, frames[index])
