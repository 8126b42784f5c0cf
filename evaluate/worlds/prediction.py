"""What actions are worth to the video LM on true video, and how well it tells rewards and ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ...data import to_video
from ...model import Outcome, VideoLM, shift_tokens, to_sequence
from ..figures import LEAST_FOR_INTERVAL, Curve, Figure, Section, interval, mean_of, without_interval
from ..study import Progress, Study
from .recording import Start
from .trying import Rows

TRUE, OTHER, UNKNOWN = "the true actions", "another episode's actions", "no actions"
_RESAMPLES = 1000


@dataclass
class _Told:
    """What was foretold of each clip, and what came: float64 `[latent frames]` each, NaN where it is not known."""

    foretold: list[np.ndarray] = field(default_factory=list)
    true: list[np.ndarray] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    """Which clips share one fate, those of one video."""

    def add(self, foretold: Tensor | None, true: np.ndarray | None, group: int) -> None:
        """Notes one clip, if the bundle foretells this and the recording has it."""
        if foretold is not None and true is not None:
            self.foretold.append(foretold.double().numpy())
            self.true.append(true)
            self.groups.append(group)


@torch.inference_mode()
def world_prediction(study: Study, progress: Progress) -> Section:
    """Nats per token by what is told of actions; reward and end where the bundle foretells them."""
    lm, recording, tokenizer = study.bundle.lm, study.recording, study.bundle.tokenizer
    assert lm is not None
    length = min(recording.given + recording.made, tokenizer.num_frames(lm.config.max_parallel_frames))
    nats: dict[str, list[Tensor]] = {TRUE: [], OTHER: [], UNKNOWN: []}
    rewards, ends = _Told(), _Told()
    for at, start in enumerate(recording.starts):
        tokens = tokenizer.encode(to_video(start.clip.frames[:length])[None])
        other = recording.another(at).rows
        for name, rows in ((TRUE, start.rows), (OTHER, other), (UNKNOWN, np.full_like(other, np.nan))):
            loss, outcome = _foretold(study, lm, tokens, start, rows[:length])
            nats[name].append(loss)
            if name == TRUE and outcome is not None:
                rewards.add(outcome.reward, _summed(start.clip.rewards, length, tokenizer.temporal_stride), recording.groups[at])
                ends.add(outcome.end, _any(start.clip.ends, length, tokenizer.temporal_stride), recording.groups[at])
        progress((at + 1) / len(recording.starts))
    x = tuple(float(index) for index in range(len(nats[TRUE][0])))
    curves = [
        Curve("Nats per token, by rows", f"with {name}", x, tuple(torch.stack(rows).mean(0).tolist()), "latent frame", "nats")
        for name, rows in nats.items()
    ]
    return Section(
        "prediction-world",
        "World: what actions are worth",
        f"{recording.about}\n{_about(length, rewards, ends, lm)}",
        (*_nats_figures(nats, recording.groups), *_reward_figures(rewards), *_end_figures(ends)),
        tuple(curves),
    )


def _foretold(study: Study, lm: VideoLM, tokens: Tensor, start: Start, rows: Rows) -> tuple[Tensor, Outcome | None]:
    """Nats of each latent frame `[F]` by rows of tokens, and what the bundle foretells of each, `[F]`."""
    text, stride = study.bundle.text_tokenizer, study.bundle.tokenizer.stride
    assert text is not None
    said = study.captions(start.clip) or [(0.0, "")]
    starts = {stride.latent_index(round(seconds * study.bundle.fps)): words for seconds, words in said}
    ids = text.batch(list(starts.values()), lm.config.max_prompt_length)[None]
    prompts = lm.encode_prompts(ids, ids != text.pad_id, torch.tensor([list(starts)]), tokens.shape[1])
    actions = lm.encode_actions(stride.group(torch.from_numpy(rows))[None])
    row_length = lm.config.frame_shape[1]
    hidden = lm(shift_tokens(tokens, row_length, lm.start_id), prompts, row_length, actions=actions).hidden
    loss = lm.vocabulary.loss(hidden, to_sequence(tokens)).nll.unflatten(1, (tokens.shape[1], -1)).mean(dim=(0, 2))
    if not (lm.config.rewards or lm.config.ends):
        return loss, None
    return loss, lm.outcome(hidden[0, lm.frame_length - 1 :: lm.frame_length])


def _summed(rewards: Tensor | None, length: int, stride: int) -> np.ndarray | None:
    """The reward of each latent frame, the sum of those of its frames; that of the first one is not known."""
    if rewards is None:
        return None
    later = rewards[1:length].double().numpy().reshape(-1, stride).sum(axis=1)
    return np.concatenate([[np.nan], later])


def _any(ends: Tensor | None, length: int, stride: int) -> np.ndarray | None:
    """Whether the episode is over in each latent frame."""
    if ends is None:
        return None
    later = ends[1:length].numpy().reshape(-1, stride).any(axis=1).astype(np.float64)
    return np.concatenate([[np.nan], later])


def _nats_figures(nats: dict[str, list[Tensor]], groups: list[int]) -> list[Figure]:
    rows = {name: [float(values.mean()) for values in found] for name, found in nats.items()}
    figures = [
        mean_of(
            f"nats per token, by rows: with {name}", values, clips=groups, unit="nats", better="lower" if name == TRUE else ""
        )
        for name, values in rows.items()
    ]
    for name in (OTHER, UNKNOWN):
        saved = [value - own for value, own in zip(rows[name], rows[TRUE], strict=True)]
        title = f"nats per token that the true actions save against {name}"
        figures.append(mean_of(title, saved, clips=groups, unit="nats"))
    return figures


def _reward_figures(told: _Told) -> list[Figure]:
    """How foretold rewards go with true ones: by latent frame, and summed over a clip."""
    if not told.true:
        return []
    figures = [
        over_clips("reward: correlation by latent frame", told.foretold, told.true, told.groups, correlation, headline=True)
    ]
    foretold = [np.array([row[~np.isnan(true)].sum()]) for row, true in zip(told.foretold, told.true, strict=True)]
    true = [np.array([np.nansum(row)]) for row in told.true]
    figures.append(over_clips("reward: correlation of the sums of clips", foretold, true, told.groups, correlation))
    name = "reward: share of the variance that is foretold"
    return [*figures, over_clips(name, told.foretold, told.true, told.groups, explained)]


def _end_figures(told: _Told) -> list[Figure]:
    """How well ends are told from what is no end."""
    if not told.true:
        return []
    name = "end: area under the ROC curve"
    return [over_clips(name, told.foretold, told.true, told.groups, area_under_curve, headline=True)]


def over_clips(
    name: str,
    foretold: Sequence[np.ndarray],
    true: Sequence[np.ndarray],
    groups: Sequence[int],
    measure: Callable[[np.ndarray, np.ndarray], float],
    **attributes,
) -> Figure:
    """A measure over all latent frames of all clips; its interval is that of other draws of groups of clips.

    Two clips or one say nothing of how what is foretold goes with what comes, so they have no value.
    """
    if len(true) < LEAST_FOR_INTERVAL:
        return without_interval(name, float("nan"), len(true), lacking="too few clips", **attributes)
    members = [[at for at, group in enumerate(groups) if group == each] for each in dict.fromkeys(groups)]
    draws = np.random.default_rng(0).integers(len(members), size=(_RESAMPLES, len(members)))

    def of(drawn: Sequence[int]) -> float:
        rows = [row for each in drawn for row in members[each]]
        guess, truth = (np.concatenate([parts[row] for row in rows]) for parts in (foretold, true))
        known = ~np.isnan(truth)
        return measure(guess[known], truth[known])

    value, drawn = of(range(len(members))), np.array([of(draw) for draw in draws.tolist()])
    lacking = "it never changes" if np.isnan(value) else ""
    return Figure(name, value, *interval(drawn, len(members)), len(true), lacking=lacking, **attributes)


def correlation(foretold: np.ndarray, true: np.ndarray) -> float:
    """Pearson's correlation; NaN if either never changes."""
    if len(true) < 2 or foretold.std() == 0 or true.std() == 0:
        return float("nan")
    return float(np.corrcoef(foretold, true)[0, 1])


def explained(foretold: np.ndarray, true: np.ndarray) -> float:
    """Share of the variance that is foretold, at most 1; below 0 if the mean would do better."""
    return float(1 - np.square(foretold - true).mean() / true.var()) if len(true) and true.var() > 0 else float("nan")


def area_under_curve(foretold: np.ndarray, true: np.ndarray) -> float:
    """How often an end is thought likelier than what is no end, ties by half (Mann, Whitney 1947); NaN if there is only one."""
    hits, others = foretold[true > 0.5], foretold[true <= 0.5]
    if not len(hits) or not len(others):
        return float("nan")
    below, up_to = (np.searchsorted(np.sort(others), hits, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(others)))


def _about(length: int, rewards: _Told, ends: _Told, lm: VideoLM) -> str:
    heads = [name for name, has in (("rewards", lm.config.rewards), ("ends", lm.config.ends)) if has]
    found = [name for name, told in (("rewards", rewards), ("ends", ends)) if told.true]
    lacking = [name for name in heads if name not in found]
    said = (
        f"The bundle foretells {' and '.join(heads)} of each latent frame."
        if heads
        else "The bundle foretells no rewards or ends."
    )
    lacks = f" The recording has no {' and no '.join(lacking)}." if lacking else ""
    return (
        f"The video LM is given all true tokens before each row of tokens, over the first {length} frames, with the actions "
        "truly done, with those of another episode, and without any. What the true actions save in nats is their worth to it; "
        f"0 means that they tell it nothing. {said}{lacks}"
    )
