"""An earlier moment that is made again goes on as the stream did."""

import pytest
import tiny_bundle
import torch

from framecast.sample import SamplingParams, Stream
from framecast.sample.rewind import rewound

PROMPT, OTHER = "a red circle moves right", "a blue square moves up"


def played(num_latent_frames: int, change_at: int | None = None, **options) -> Stream:
    stream = tiny_bundle.generator().stream(PROMPT, 3, **options)
    for index in range(num_latent_frames):
        if index == change_at:
            stream.set_prompt(OTHER)
        stream.advance()
    return stream


@pytest.mark.parametrize("params", [SamplingParams(), SamplingParams(guidance_scale=1, decoding="token")])
@pytest.mark.parametrize("length", [1, 2, 7, 12])
def test_the_moment_goes_on_with_the_same_tokens(params, length):
    stream = played(12, params=params)
    *pieces, moment = rewound(stream, length)
    assert pieces == [None] * length and moment is not None
    assert moment.next_index == 4 * (length - 1) + 1 and torch.equal(moment.tokens, stream.tokens[:length])
    while moment.num_latent_frames < 12:
        next(moment)
    assert torch.equal(moment.tokens, stream.tokens)


def test_prompts_of_the_past_are_kept_and_later_ones_are_not():
    stream = played(10, change_at=6)
    *_, early = rewound(stream, 4)
    *_, late = rewound(stream, 8)
    assert early.prompts == ((0, PROMPT),) and late.prompts == ((0, PROMPT), (6, OTHER))
    late.advance()
    assert torch.equal(late.tokens, stream.tokens[:9])


def test_a_moment_that_is_not_there_is_said():
    for length in (0, 4):
        with pytest.raises(ValueError, match=f"got {length} latent frames to go back to; wanted 1 to 3"):
            next(rewound(played(3), length))


def test_a_stream_that_renews_its_sink_cannot_go_back():
    with pytest.raises(ValueError, match=r"got a stream with `reanchor_every` to go back in; wanted one without"):
        next(rewound(played(3, reanchor_every=8), 2))
