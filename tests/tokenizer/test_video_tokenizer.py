"""`VideoTokenizer`: lengths, streaming in every way to cut a video, causality in pixels, refusals."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import tiny
import torch
from laws import assert_causal, assert_same, compositions
from torch import Tensor

from framecast.state import map_tensors
from framecast.tokenizer import FSQ, VQ, VideoTokenizer, VideoTokenizerConfig, pad_frames

CONFIGS = {
    "stride 4 in two steps": tiny.TOKENIZER,
    "stride 4 in one step": VideoTokenizerConfig(patch_size=4, channels=(8, 8), num_blocks=(1, 2), time_strides=(4,)),
    "stride 3": VideoTokenizerConfig(patch_size=2, channels=(8, 8), num_blocks=(1, 1), time_strides=(3,)),
    "local encoder": VideoTokenizerConfig(
        patch_size=4, channels=(8, 8), num_blocks=(1, 2), time_strides=(4,), local_encoder=True
    ),
    "stride 2, local encoder": VideoTokenizerConfig(
        patch_size=4, channels=(8, 8), num_blocks=(1, 1), time_strides=(2,), local_encoder=True
    ),
    "stride 1, local encoder": VideoTokenizerConfig(
        patch_size=4, channels=(8, 8), num_blocks=(1, 1), time_strides=(1,), local_encoder=True
    ),
    "one stage, no stride": VideoTokenizerConfig(patch_size=8, channels=(8,), num_blocks=(1,), time_strides=()),
}


@pytest.fixture(autouse=True)
def _no_grad(request):
    with torch.set_grad_enabled("gradients" in request.node.name):
        yield


def stack(states: list[Any]) -> Any:
    """One state of many rows out of many states."""
    tensors: list[list[Tensor]] = []
    for state in states:
        tensors.append([])
        map_tensors(lambda x: tensors[-1].append(x) or x, state)
    joined = iter([torch.cat(parts) for parts in zip(*tensors, strict=True)])
    return map_tensors(lambda _: next(joined), states[0])


def changed_tokens(local_encoder: bool) -> Tensor:
    """bool `[T, H, W]`: the tokens that change when the 8x8 pixels of the middle one change in frames 5 to 8."""
    config = VideoTokenizerConfig(
        patch_size=4, channels=(8, 8), num_blocks=(1, 2), time_strides=(4,), local_encoder=local_encoder
    )
    tokenizer = tiny.tokenizer(FSQ((63, 63)), config)
    video = tiny.video(17, size=40, batch_size=1)
    other = video.clone()
    other[:, :, 5:9, 16:24, 16:24] *= -1
    return (tokenizer.encode(video) != tokenizer.encode(other))[0]


def test_a_token_of_a_local_encoder_says_what_its_pixels_show():
    changed = changed_tokens(local_encoder=True)
    assert changed[2, 2, 2] and not changed[[0, 1, 3, 4]].any()  # frames 5 to 8 are latent frame 2
    near = torch.zeros(5, 5, dtype=torch.bool)
    near[1:4, 1:4] = True
    assert not changed[2][~near].any()
    wide = changed_tokens(local_encoder=False)
    assert wide[2][~near].any() and wide[3:].any() and not wide[:2].any()


def test_a_still_video_has_the_same_tokens_in_every_latent_frame():
    config = VideoTokenizerConfig(patch_size=4, channels=(8, 8), num_blocks=(1, 2), time_strides=(4,), local_encoder=True)
    still = tiny.video(1, size=16).expand(-1, -1, 17, -1, -1)
    tokens = tiny.tokenizer(FSQ((63, 63)), config).encode(still)
    assert (tokens == tokens[:, :1]).all()
    tokens = tiny.tokenizer(FSQ((63, 63)), replace(config, local_encoder=False)).encode(still)
    assert (tokens[:, 1] != tokens[:, 0]).any()


def check_every_composition(
    step: Callable[[Tensor, Any], Tensor], state: Any, x: Tensor, dim: int, check: Callable[[Tensor, int], None]
) -> int:
    """Feeds one `x` in every possible way at once: one row for each way to have cut what came so far.

    `check(y, start)` sees what each row gave for the chunk that begins at `start`. Returns the number of ways to cut all of x.
    """
    total = x.shape[dim]
    waiting = defaultdict(list, {0: [state]})
    for start in range(total):
        states = stack(waiting.pop(start))
        for length in range(1, total - start + 1):
            branch = states.clone()
            rows = next(iter(_tensors(branch))).shape[0]
            chunk = x.narrow(dim, start, length)
            check(step(chunk.expand(rows, *chunk.shape[1:]), branch), start)
            waiting[start + length].append(branch)
    return sum(next(iter(_tensors(state))).shape[0] for state in waiting[total])


def _tensors(state: Any) -> list[Tensor]:
    found: list[Tensor] = []
    map_tensors(lambda x: found.append(x) or x, state)
    return found


@pytest.mark.parametrize("num_frames", [9, pytest.param(17, marks=pytest.mark.slow)])
def test_encoder_gives_the_same_tokens_however_a_video_is_cut(num_frames):
    """All 2 ** (num_frames - 1) compositions; those of 17 frames begin with all those of 9 to 16."""
    tokenizer, video = tiny.tokenizer(), tiny.video(num_frames, size=8, batch_size=1)
    whole = tokenizer.encode(video)
    given = lambda frames: (frames + 3) // 4  # noqa: E731  latent frames that are out after so many frames

    def check(tokens: Tensor, start: int) -> None:
        expected = whole[:, given(start) : given(start) + tokens.shape[1]]
        assert torch.equal(tokens, expected.expand_as(tokens)), f"the chunk from frame {start} on"

    ways = check_every_composition(tokenizer.encode, tokenizer.init_encoder_state(1, 8, 8), video, 2, check)
    assert ways == 2 ** (num_frames - 1)


@pytest.mark.parametrize("num_latent_frames", [9, pytest.param(13, marks=pytest.mark.slow)])
def test_decoder_gives_the_same_pixels_however_tokens_are_cut(num_latent_frames):
    tokenizer = tiny.tokenizer()
    tokens = torch.randint(tokenizer.codebook_size, (1, num_latent_frames, 1, 1), generator=tiny.rng())
    whole = tokenizer.decode(tokens)

    def check(video: Tensor, start: int) -> None:
        first = max(0, 4 * start - 3)
        expected = whole[:, :, first : first + video.shape[2]]
        assert_same(video, expected.expand_as(video), dim=2, atol=1e-5, what=f"the chunk from latent frame {start} on")

    ways = check_every_composition(tokenizer.decode, tokenizer.init_decoder_state(1, 1, 1), tokens, 1, check)
    assert ways == 2 ** (num_latent_frames - 1)


def test_control_a_decoder_that_forgets_is_caught():
    tokenizer = tiny.tokenizer()
    tokens = torch.randint(tokenizer.codebook_size, (1, 3, 1, 1), generator=tiny.rng())
    whole = tokenizer.decode(tokens)

    def forgetful(chunk: Tensor, state: Any) -> Tensor:
        fresh = tokenizer.init_decoder_state(chunk.shape[0], 1, 1)
        fresh.started = state.started
        state.started = True
        return tokenizer.decode(chunk, fresh)

    def check(video: Tensor, start: int) -> None:
        first = max(0, 4 * start - 3)
        assert_same(video, whole[:, :, first : first + video.shape[2]].expand_as(video), dim=2, atol=1e-5)

    with pytest.raises(AssertionError, match="differs first at index 0 of dimension 2"):
        check_every_composition(forgetful, tokenizer.init_decoder_state(1, 1, 1), tokens, 1, check)


def test_rows_that_are_cut_together_equal_rows_cut_alone():
    tokenizer, video = tiny.tokenizer(), tiny.video(9)
    whole = tokenizer.encode(video)
    for parts in [(9,), (1, 8), (2, 3, 4), (1,) * 9]:
        state = tokenizer.init_encoder_state(2, 16, 16)
        tokens = torch.cat([tokenizer.encode(chunk, state) for chunk in video.split(parts, dim=2)], dim=1)
        assert torch.equal(tokens, whole)
        assert torch.equal(tokenizer.encode(video[1:]), whole[1:])


def test_pending_frames_wait_in_the_state():
    tokenizer, video = tiny.tokenizer(), tiny.video(5)
    state = tokenizer.init_encoder_state(2, 16, 16)
    assert tokenizer.encode(video[:, :, :0], state).shape == (2, 0, 2, 2) and not state.started
    counts = [tokenizer.encode(video[:, :, t : t + 1], state).shape[1] for t in range(5)]
    assert counts == [1, 0, 0, 0, 1]
    assert state.pending.shape[2] == 0 and state.started
    tokenizer.encode(video[:, :, :3], state)
    assert torch.equal(state.pending, video[:, :, :3])


def test_a_tokenizer_in_bfloat16_takes_and_gives_the_same():
    exact, video = tiny.tokenizer(), tiny.video(9)
    rounded = tiny.tokenizer().bfloat16()
    tokens = rounded.encode(video)
    assert tokens.shape == exact.encode(video).shape
    pixels = rounded.decode(tokens)
    assert pixels.dtype == torch.bfloat16
    torch.testing.assert_close(pixels.float(), exact.decode(tokens), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_legal_length_keeps_its_shape(name):
    tokenizer = tiny.tokenizer(config=CONFIGS[name])
    stride = tokenizer.temporal_stride
    for num_frames in range(1, 18):
        video = tiny.video(num_frames, batch_size=1)
        if (num_frames - 1) % stride:
            with pytest.raises(ValueError, match=f"got a video of {num_frames} frames"):
                tokenizer.encode(video)
            continue
        tokens = tokenizer.encode(video)
        assert tokens.shape == (1, 1 + (num_frames - 1) // stride, *tokenizer.frame_shape(16, 16))
        assert tokens.shape[1] == tokenizer.num_latent_frames(num_frames)
        assert tokenizer.num_frames(tokens.shape[1]) == num_frames
        assert tokens.dtype == torch.int64 and 0 <= tokens.min() and tokens.max() < tokenizer.codebook_size
        assert tokenizer.decode(tokens).shape == video.shape


@pytest.mark.parametrize("name", CONFIGS)
def test_training_pass_equals_decoded_tokens(name):
    tokenizer, video = tiny.tokenizer(config=CONFIGS[name]), tiny.video(13)
    output = tokenizer(video)
    assert torch.equal(output.quantized.tokens, tokenizer.encode(video))
    torch.testing.assert_close(output.video, tokenizer.decode(output.quantized.tokens), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_frame_does_not_change_earlier_tokens_or_pixels(name):
    tokenizer = tiny.tokenizer(config=CONFIGS[name])
    stride = tokenizer.temporal_stride
    video, other = tiny.video(13), tiny.video(13, seed=1)
    latent = lambda t: -(-t // stride)  # noqa: E731  the latent frame of frame t
    assert_causal(tokenizer.encode, video, other, latent, dim=2)
    reconstruct = lambda x: tokenizer(x).video  # noqa: E731
    assert_causal(reconstruct, video, other, lambda t: tokenizer.num_frames(latent(t)) if t else 0, dim=2, out_dim=2)


def test_videos_of_a_batch_do_not_see_each_other():
    tokenizer, video = tiny.tokenizer(), tiny.video(5)
    changed = torch.cat([video[:1], tiny.video(5, batch_size=1, seed=1)])
    before, after = tokenizer(video).video, tokenizer(changed).video
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])


@pytest.mark.parametrize("training", [False, True])
def test_two_passes_are_equal(training):
    tokenizer, video = tiny.tokenizer().train(training), tiny.video(5)
    assert torch.equal(tokenizer(video).video, tokenizer(video).video)


def test_a_branched_stream_goes_its_own_way():
    tokenizer, video, other = tiny.tokenizer(), tiny.video(9, batch_size=1), tiny.video(9, batch_size=1, seed=1)
    state = tokenizer.init_encoder_state(1, 16, 16)
    tokenizer.encode(video[:, :, :3], state)
    branches = state.expand(3).select([2, 0])
    joined = torch.cat([video[:, :, 3:], other[:, :, 3:]])
    tokens = tokenizer.encode(joined, branches)
    assert torch.equal(tokens[:1], tokenizer.encode(video)[:, 1:])
    assert torch.equal(tokens[1:], tokenizer.encode(torch.cat([video[:, :, :3], other[:, :, 3:]], dim=2))[:, 1:])


def test_gradients_reach_every_parameter():
    tokenizer, video = tiny.tokenizer(VQ(codebook_size=4, dim=4)).train(), tiny.video(5)
    output = tokenizer(video)
    (output.video.square().mean() + output.quantized.loss).backward()
    missing = [n for n, p in tokenizer.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert missing == []


def test_weights_round_trip():
    tokenizer, again, video = tiny.tokenizer(), VideoTokenizer(tiny.TOKENIZER, tiny.FSQ((5, 5, 5))).eval(), tiny.video(5)
    assert not torch.equal(again.encode(video), tokenizer.encode(video))  # control
    again.load_state_dict(tokenizer.state_dict())
    assert torch.equal(again.encode(video), tokenizer.encode(video))


def test_pad_frames_makes_a_legal_length():
    for num_frames in range(1, 18):
        video = tiny.video(num_frames, size=2)
        padded = pad_frames(video, 4)
        assert (padded.shape[2] - 1) % 4 == 0 and 0 <= padded.shape[2] - num_frames < 4
        assert torch.equal(padded[:, :, :num_frames], video)
        assert (padded[:, :, num_frames:] == video[:, :, -1:]).all()


def test_sizes_come_from_the_config():
    config = VideoTokenizerConfig(patch_size=2, channels=[8, 8, 8], num_blocks=[1, 1, 1], time_strides=[2, 3])
    assert config.channels == (8, 8, 8) and hash(config)
    assert (config.temporal_stride, config.spatial_stride) == (6, 8)
    tokenizer = VideoTokenizer(config, tiny.FSQ((3, 3)))
    assert (tokenizer.temporal_stride, tokenizer.spatial_stride, tokenizer.codebook_size) == (6, 8, 9)
    assert tokenizer.frame_shape(16, 24) == (2, 3)


@pytest.mark.parametrize(
    ("video", "message"),
    [
        (torch.zeros(1, 3, 4, 16, 16), r"got a video of 4 frames; wanted 1 \+ 4k .* trim to 1 or pad to 5 with `pad_frames`"),
        (torch.zeros(1, 3, 0, 16, 16), r"got a video of 0 frames; wanted 1 \+ 4k"),
        (torch.zeros(1, 3, 12, 16, 16), "trim to 9 or pad to 13"),
        (torch.zeros(1, 3, 1, 20, 16), "got frames of 20x16 pixels; wanted multiples of 8, .* to 16x16"),
        (torch.zeros(1, 3, 1, 16, 7), "got frames of 16x7 pixels; wanted multiples of 8, .* to 16x8"),
        (torch.zeros(1, 3, 1, 0, 16), "got frames of 0x16 pixels"),
        (torch.zeros(1, 4, 1, 16, 16), r"got a video of shape \[1, 4, 1, 16, 16\].*wanted float \[B, 3, T, H, W\]"),
        (torch.zeros(3, 1, 16, 16), r"got a video of shape \[3, 1, 16, 16\]"),
        (torch.zeros(1, 3, 1, 16, 16, dtype=torch.uint8), r"dtype torch.uint8; wanted float .* `framecast.data.to_video`"),
        (torch.full((1, 3, 1, 16, 16), 255.0), r"got a video with values from 255 to 255; wanted \[-1, 1\]; scale or clamp"),
        (torch.full((1, 3, 1, 16, 16), -1.5), "got a video with values from -1.5"),
        (torch.full((1, 3, 1, 16, 16), float("nan")), "got a video with values from nan to nan"),
    ],
)
def test_bad_videos_are_refused(video, message):
    tokenizer = tiny.tokenizer()
    for call in (tokenizer.encode, tokenizer):
        with pytest.raises(ValueError, match=message):
            call(video)


def test_a_bad_size_is_refused_when_a_stream_starts():
    with pytest.raises(ValueError, match="got frames of 10x16 pixels; wanted multiples of 8"):
        tiny.tokenizer().init_encoder_state(1, 10, 16)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(1, 2, 2, dtype=torch.int64), r"got tokens of shape \[1, 2, 2\].*wanted int64 \[B, T, H, W\]"),
        (torch.zeros(1, 0, 2, 2, dtype=torch.int64), r"got tokens of shape \[1, 0, 2, 2\].* with T >= 1"),
        (torch.zeros(1, 1, 2, 2), "dtype torch.float32; wanted int64"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.bool), "dtype torch.bool; wanted int64"),
        (torch.full((1, 1, 2, 2), 125), "got tokens from 125 to 125; wanted 0 to 124, the tokenizer's codebook"),
        (torch.full((1, 1, 2, 2), -1), "got tokens from -1 to -1; wanted 0 to 124"),
    ],
)
def test_bad_tokens_are_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        tiny.tokenizer().decode(tokens)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_blocks": (1,)}, r"got channels \(64, 128\), num_blocks \(1,\), .* wanted as many num_blocks as channels"),
        ({"time_strides": (2, 2)}, r"time_strides \(2, 2\); wanted as many .* one time stride fewer"),
        ({"patch_size": 0}, "patch_size=0.* wanted every size to be at least 1"),
        ({"channels": (0, 8)}, "wanted every size to be at least 1"),
        ({"time_strides": (0,)}, "wanted every size to be at least 1"),
    ],
)
def test_bad_shapes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        VideoTokenizerConfig(**options)


def test_compositions_of_nine_frames_in_plain_words():
    """The batched walk above once more with nothing shared, for a few of its ways."""
    tokenizer, video = tiny.tokenizer(), tiny.video(9, size=8, batch_size=1)
    whole = tokenizer.encode(video)
    for parts in list(compositions(9))[::17]:
        state = tokenizer.init_encoder_state(1, 8, 8)
        tokens = torch.cat([tokenizer.encode(chunk, state) for chunk in video.split(parts, dim=2)], dim=1)
        assert torch.equal(tokens, whole), parts
