"""What the tokenizer loses."""

import numpy as np
import pytest
from studies import Oracle, figure

from framecast.evaluate import reconstruction


def test_the_tokenizer_section_measures_reconstructions():
    section = reconstruction.tokenizer_on_sprites(Oracle(), lambda share: None)
    assert 20 < figure(section, "PSNR") < 45 and 85 < figure(section, "codes in use") <= 100
    assert figure(section, "bits per pixel") == pytest.approx(9 * 64 * np.log2(1000) / (33 * 64 * 64))
