import pytest

from framecast.train.own.recipes import recipe_for
from framecast.train.own.sizes import LMS, TOKENIZERS, lm_shape, stride_of, tokenizer_batch, tokenizer_shape


@pytest.mark.parametrize("size", [16, 64, 96, 112, 128, 512])
@pytest.mark.parametrize("rung", TOKENIZERS, ids=lambda rung: rung.name)
def test_every_tokenizer_has_the_stride_of_its_size(rung, size):
    shape = tokenizer_shape(rung.name, size)
    assert shape.spatial_stride == stride_of(size) and shape.temporal_stride == 4 and size % shape.spatial_stride == 0


@pytest.mark.parametrize("rung", LMS, ids=lambda rung: rung.name)
def test_every_lm_takes_the_clips_and_the_captions(rung):
    shape = lm_shape(rung.name, longest_caption=100)
    assert shape.max_parallel_frames >= 5 and shape.max_prompt_length >= 102


def test_ladders_go_down():
    for ladder in (TOKENIZERS, LMS):
        assert [rung.cost for rung in ladder] == sorted((rung.cost for rung in ladder), reverse=True)
        assert ladder[-1].least_video == 0


def test_a_step_has_about_as_many_pixels_and_tokens_at_any_size():
    assert [tokenizer_batch(size, False) for size in (32, 64, 128, 512)] == [8, 8, 2, 2]
    lm_batch = recipe_for(None).lm_batch
    assert [lm_batch(size, False) for size in (32, 64, 96, 128, 256)] == [16, 16, 7, 16, 4]
    assert tokenizer_batch(64, True) == 32 and lm_batch(64, True) == 64
