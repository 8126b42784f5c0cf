"""What the training of a video LM does to its inputs, so that they look like what sampling will feed it."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Example:
    """What the video LM is to predict from what; inputs[:, i] is what it sees at the place of targets[:, i]."""

    inputs: Tensor
    """int64 `[B, S]`, shifted by `shift_tokens`."""
    targets: Tensor
    """int64 `[B, S]`."""
    ids: Tensor
    """int64 `[B, P, L]`, padded."""
    starts: Tensor
    """int64 `[B, P]`, the latent frame from which each prompt holds."""
    num_frames: int
    """Latent frames."""
    unscored: tuple[int, int] = (0, 0)
    """First position and end of the targets that cannot be told from what is left of the inputs; not trained on."""
    actions: Tensor | None = None
    """float32 `[B, F, stride, A]`, of the latent frames; NaN is unknown, None that all are."""
    rewards: Tensor | None = None
    """float32 `[B, F]`, likewise."""
    ends: Tensor | None = None
    """float32 `[B, F]`, 1 if the episode ended in the latent frame; likewise."""


def corrupt(inputs: Tensor, num_frames: int, codebook_size: int, most: float) -> Tensor:
    """Replaces a random share of the input tokens by random ones, more on later frames; keeps long rollouts from drifting.

    Each clip draws its share uniformly from 0 to `most`. The share grows in equal steps and is reached in the last latent frame.
    The start is never replaced.

    Args:
        inputs: int64 `[B, S]`, of `num_frames` whole latent frames.
        num_frames: Latent frames.
        codebook_size: Random tokens lie below.
        most: Largest share, in [0, 1].
    """
    frames = inputs.unflatten(1, (num_frames, -1))
    ramp = torch.arange(1, num_frames + 1, device=inputs.device) / num_frames
    share = most * torch.rand(inputs.shape[0], 1, 1, device=inputs.device) * ramp[:, None]
    chosen = (torch.rand(frames.shape, device=inputs.device) < share).flatten(1)
    chosen[:, 0] = False
    return torch.where(chosen, torch.randint_like(inputs, codebook_size), inputs)


def drop_prompts(ids: Tensor, share: float, eos_id: int, pad_id: int) -> Tensor:
    """Gives a random share of the clips the null prompt, for classifier-free guidance (Ho and Salimans 2022).

    Args:
        ids: int64 `[B, P, L]`.
        share: Share of the clips, in [0, 1].
        eos_id: The null prompt is this id alone.
        pad_id: What follows it.
    """
    null = torch.full_like(ids, pad_id)
    null[..., 0] = eos_id
    return torch.where(torch.rand(ids.shape[0], 1, 1, device=ids.device) < share, null, ids)


def drop_actions(actions: Tensor, share: float) -> Tensor:
    """Makes all actions of a random share of the clips unknown, for guidance on actions.

    Args:
        actions: float32 `[B, F, stride, A]`.
        share: Share of the clips, in [0, 1].
    """
    return actions.masked_fill(torch.rand(actions.shape[0], 1, 1, 1, device=actions.device) < share, torch.nan)


def draw_gap(num_frames: int, sink_frames: int, share: float) -> int:
    """Latent frames to cut out behind the sink: none, or in a random share of the calls any number that leaves one."""
    most = num_frames - sink_frames - 1
    if sink_frames == 0 or most < 1 or torch.rand(()) >= share:
        return 0
    return int(torch.randint(1, most + 1, ()))


def cut_gap(example: Example, sink_frames: int, gap: int) -> Example:
    """The example without the `gap` latent frames behind the sink, as a stream is seen whose window has rolled on.

    Inputs were shifted before, so the first frame behind the gap still has its true inputs. A prompt that starts inside
    the gap holds from the first frame behind it. That frame is not scored: a stream never has its sink alone before a gap. If
    scored, the frame would teach the model that the second latent frame of a video need not follow from the first. For the same
    reason, its reward and end become unknown.
    """

    def cut_frames(frames: Tensor) -> Tensor:
        return torch.cat([frames[:, :sink_frames], frames[:, sink_frames + gap :]], dim=1)

    def cut(sequence: Tensor) -> Tensor:
        return cut_frames(sequence.unflatten(1, (example.num_frames, -1))).flatten(1)

    def cut_outcome(values: Tensor | None) -> Tensor | None:
        if values is None or not gap:
            return values
        behind = torch.arange(example.num_frames - gap, device=values.device) == sink_frames
        return cut_frames(values).masked_fill(behind, torch.nan)

    length = example.targets.shape[1] // example.num_frames
    later = (example.starts - gap).clamp(min=sink_frames)
    return replace(
        example,
        inputs=cut(example.inputs),
        targets=cut(example.targets),
        starts=torch.where(example.starts > sink_frames, later, example.starts),
        num_frames=example.num_frames - gap,
        unscored=(sink_frames * length, (sink_frames + 1) * length) if gap else (0, 0),
        actions=None if example.actions is None else cut_frames(example.actions),
        rewards=cut_outcome(example.rewards),
        ends=cut_outcome(example.ends),
    )
