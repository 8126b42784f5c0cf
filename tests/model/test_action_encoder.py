"""The action encoder: unknown is not nothing, each latent frame has actions of its own, and a new encoder changes nothing."""

import pytest
import tiny
import torch
from laws import first_difference

from framecast.model import VideoLM, shift_tokens

WAYS = pytest.mark.parametrize("way", ["add", "film"])


@pytest.fixture(autouse=True)
def _no_grad(request):
    with torch.set_grad_enabled("gradient" in request.node.name):
        yield


def hidden(lm: VideoLM, actions: torch.Tensor | None, num_frames: int = 3) -> torch.Tensor:
    inputs = shift_tokens(tiny.tokens(lm, num_frames), 3, lm.start_id)
    return lm(inputs, tiny.prompts(lm), 3, actions=None if actions is None else lm.encode_actions(actions)).hidden


@WAYS
def test_a_new_encoder_changes_nothing(way):
    """So a model without actions goes on as one with."""
    plain = tiny.video_lm()
    lm = VideoLM(tiny.lm_config(**tiny.WORLDS[way])).eval()
    missing, extra = lm.load_state_dict(plain.state_dict(), strict=False)
    assert not extra and all(name.startswith("action_encoder.") for name in missing)
    assert torch.equal(hidden(lm, tiny.raw_actions(3)), hidden(plain, None))
    assert torch.equal(hidden(lm, None), hidden(plain, None))


@WAYS
def test_a_gradient_reaches_every_parameter(way):
    lm = tiny.video_lm(**tiny.WORLDS[way])
    hidden(lm, tiny.raw_actions(3)).square().mean().backward()
    own = {name: p.grad for name, p in lm.named_parameters() if name.startswith("action_encoder.")}
    assert len(own) == 6 and all(grad is not None and grad.abs().sum() > 0 for grad in own.values())


@WAYS
def test_unknown_actions_are_those_that_nobody_gave(way):
    lm, unknown = tiny.video_lm(**tiny.WORLDS[way]), torch.full((2, 3, 2, 3), torch.nan)
    torch.testing.assert_close(hidden(lm, unknown), hidden(lm, None), atol=1e-5, rtol=0)
    assert first_difference(hidden(lm, torch.zeros(2, 3, 2, 3)), hidden(lm, None), atol=1e-3) == 0  # which is not nothing done
    partly = tiny.raw_actions(3).nan_to_num()
    partly[0, 1, 1, 2] = torch.nan  # of one number: the action of the frame is not known
    wholly = partly.clone()
    wholly[0, 1, 1] = torch.nan
    assert torch.equal(hidden(lm, partly), hidden(lm, wholly))


@WAYS
def test_each_frame_of_a_latent_frame_counts(way):
    lm, actions = tiny.video_lm(**tiny.WORLDS[way]), tiny.raw_actions(3).nan_to_num()
    for frame in (0, 1):
        changed = actions.clone()
        changed[:, 2, frame] += 0.5
        assert first_difference(hidden(lm, changed), hidden(lm, actions)) == 12


@WAYS
def test_actions_of_a_batch_are_apart(way):
    lm, actions = tiny.video_lm(**tiny.WORLDS[way]), tiny.raw_actions(3).nan_to_num()
    changed = torch.cat([actions[:1], actions[1:] + 0.5])
    before, after = hidden(lm, actions), hidden(lm, changed)
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])


@WAYS
def test_encoded_actions_are_a_state(way):
    lm = tiny.video_lm(**tiny.WORLDS[way])
    vectors, other = tiny.actions(lm, 3), tiny.actions(lm, 3, batch_size=1, seed=5)
    assert (vectors.num_rows, vectors.num_frames) == (2, 3)
    assert vectors.expand(2).select([0, 2]).num_rows == 2 and vectors.frames(slice(1, 3)).num_frames == 2
    vectors.put([1], other)
    inputs, prompts = shift_tokens(tiny.tokens(lm, 3), 6, lm.start_id), tiny.prompts(lm)
    together = lm(inputs, prompts, 6, actions=vectors).hidden
    alone = lm(inputs[1:], prompts.select([1]), 6, actions=other).hidden
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_actions_that_are_none_of_this_model_are_refused():
    lm, plain = tiny.video_lm(**tiny.WORLD), tiny.video_lm()
    with pytest.raises(ValueError, match="got actions for a video LM that knows none; wanted none, or a model of a world"):
        plain.encode_actions(tiny.raw_actions(3))
    with pytest.raises(ValueError, match="got actions for a video LM that knows none"):
        plain(torch.zeros(2, 6, dtype=torch.int64), tiny.prompts(plain), 1, actions=tiny.actions(lm, 1))
    for shape in ((2, 3, 2, 4), (2, 3, 1, 3), (2, 3, 3)):
        with pytest.raises(ValueError, match=r"got actions of shape \[2, 3, .*\]; wanted \[videos, latent frames, 2, 3\]"):
            lm.encode_actions(torch.zeros(shape))


def test_actions_of_other_latent_frames_than_the_inputs_are_refused():
    lm = tiny.video_lm(**tiny.WORLD)
    inputs, prompts, state = torch.zeros(2, 9, dtype=torch.int64), tiny.prompts(lm), lm.init_state(2)
    with pytest.raises(ValueError, match="got actions of 1 latent frames of 2 videos; wanted 2 of 2: those that the inputs"):
        lm(inputs, prompts, 3, actions=tiny.actions(lm, 1))
    with pytest.raises(ValueError, match="got actions of 2 latent frames of 1 videos; wanted 2 of 2"):
        lm(inputs, prompts, 3, state, actions=tiny.actions(lm, 2, batch_size=1))
    lm(inputs, prompts, 3, state, actions=tiny.actions(lm, 2))
    assert state.filled == 3
    lm(inputs[:, :3], prompts, 3, state, actions=tiny.actions(lm, 1))  # the rest of the latent frame in the making
    assert state.frames.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_actions": -1}, "got num_actions -1; wanted the size of an action space, or 0"),
        ({"action_frames": 0}, "got action_frames 0; wanted sizes of at least 1"),
        ({"action_conditioning": "cross"}, "got action_conditioning 'cross'; wanted add or film"),
    ],
)
def test_bad_shapes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny.lm_config(**changes)
