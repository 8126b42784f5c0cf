"""How well the video LM predicts real clips, and what their captions are worth to it."""

from math import log

import torch
from torch import Tensor

from ...data import CaptionedClip, to_video
from ..figures import Curve, Figure, Sample, Section, mean_of, share_of, without_interval, worst_and_typical
from ..prediction import block_lengths, predicting, token_nats
from ..study import Progress, Study
from ..wrong_tokens import ABOUT_WRONG_TOKENS, WrongTokens
from .held_out import Timed

NO_TWO_CAPTIONS = "The clips do not have two different captions, so nothing can be said of prompts."
_TOLD = {"true": "its own caption", "other": "the caption of another clip", "none": "no caption"}


@torch.inference_mode()
def video_prediction(study: Study, progress: Progress) -> Section:
    """Nats per token on held-out real clips, by block length and by caption."""
    lm, tokenizer, clips = study.bundle.lm, study.bundle.tokenizer, study.held_out.clips
    assert lm is not None
    length = min(study.held_out.num_frames, tokenizer.num_frames(lm.config.max_parallel_frames))
    told = told_of(study)
    blocks = block_lengths(lm)
    first = next(iter(told))
    kinds = [(name, who) for name in blocks for who in told if name == "row" or who == first]
    nats: dict[tuple[str, str], list[Tensor]] = {kind: [] for kind in kinds}
    repeats, wrong = list[float](), WrongTokens()
    for index, clip in enumerate(clips):
        video = to_video(clip.frames[:length])[None]
        tokens = tokenizer.encode(video)
        repeats.append(float((tokens[:, 1:] == tokens[:, :-1]).float().mean()))
        for at, (name, who) in enumerate(kinds):
            hidden = predicting(study, lm, tokens, *by_latent_frame(study, told[who][index]), blocks[name])
            nats[name, who].append(token_nats(lm, hidden, tokens))
            if (name, who) == ("row", first):
                wrong.note(tokenizer, lm, hidden, tokens, video)
            progress((index + (at + 1) / len(kinds)) / len(clips))
    pixels = length * study.bundle.height * study.bundle.width / tokens.numel()
    return Section(
        "prediction-videos",
        "Real video: prediction",
        f"{study.held_out.about}\n"
        f"The video LM is given all true tokens before each token, row or frame of tokens, and the clip's caption if it has one. "
        f"Nats per token say how surprised it is by the true next token: lower is better, {log(lm.config.codebook_size):.1f} is "
        f"guessing evenly among its {lm.config.codebook_size:,} tokens. Bits per pixel compare bundles with other tokenizers. "
        f"The clips are the first {length} frames. {ABOUT_WRONG_TOKENS}\n{_about_captions(study, told)}",
        (
            *_by_kind(nats, first, pixels),
            *_gains(nats, told),
            *wrong.figures(),
            share_of("tokens equal to the same place in the last latent frame", repeats, better=""),
            without_interval(
                "nats of guessing evenly", log(lm.config.codebook_size), lm.config.codebook_size, unit="nats", better=""
            ),
        ),
        tuple(_curves(nats, first)),
        _samples(clips, nats["row", first], length),
    )


def told_of(study: Study) -> dict[str, list[Timed]]:
    """What the video LM is told of each clip: its caption, that of another, nothing; only nothing unless two captions differ."""
    own = [study.captions(clip) for clip in study.held_out.clips]
    different = {str(prompt) for prompt in own if prompt}
    told: dict[str, list[Timed]] = {"none": [[] for _ in own]}
    if len(different) > 1:
        told = {"true": own, "other": [another(own, index) for index in range(len(own))], **told}
    return told


def another(prompts: list[Timed], index: int) -> Timed:
    """The next prompt that is another one; of two different prompts or more there is one."""
    rest = prompts[index + 1 :] + prompts[:index]
    return next(prompt for prompt in rest if prompt and prompt != prompts[index])


def unknown_words(study: Study) -> float:
    """Which share of the words of the captions the bundle does not know."""
    text = study.bundle.text_tokenizer
    assert text is not None
    words = [word for clip in study.held_out.clips for caption in clip.captions for word in caption.text.split()]
    return sum(bool(text.unseen(word)) for word in words) / max(len(words), 1)


def by_latent_frame(study: Study, prompt: Timed) -> tuple[list[str], list[int]]:
    """The texts, and the latent frames from which they hold."""
    stride = study.bundle.tokenizer.stride
    starts = {stride.latent_index(round(seconds * study.bundle.fps)): text for seconds, text in prompt}
    return (list(starts.values()), list(starts)) if starts else ([""], [0])


def _by_kind(nats: dict[tuple[str, str], list[Tensor]], who: str, pixels: float) -> list[Figure]:
    kinds = {name: [float(row.mean()) for row in rows] for (name, told), rows in nats.items() if told == who}
    figures = [
        mean_of(f"nats per token, by {name}s", values, unit="nats", better="lower", headline=name == "row")
        for name, values in kinds.items()
    ]
    return figures + [
        mean_of(f"bits per pixel, by {name}s", [value / log(2) / pixels for value in values], better="lower")
        for name, values in kinds.items()
    ]


def _gains(nats: dict[tuple[str, str], list[Tensor]], told: dict[str, list[Timed]]) -> list[Figure]:
    """What the true caption saves, clip by clip of those that have one."""
    if "true" not in told:
        return []
    captioned = [index for index, prompt in enumerate(told["true"]) if prompt]
    rows = {who: [float(nats["row", who][index].mean()) for index in captioned] for who in told}
    return [
        mean_of(
            f"nats per token that its own caption saves against {_TOLD[who]}, by rows",
            [value - own for value, own in zip(rows[who], rows["true"], strict=True)],
            unit="nats",
            headline=who == "none",
        )
        for who in ("none", "other")
    ]


def _curves(nats: dict[tuple[str, str], list[Tensor]], first: str) -> list[Curve]:
    curves = []
    for (name, who), rows in nats.items():
        y = tuple(torch.stack(rows).mean(0).tolist())
        x = tuple(float(index) for index in range(len(y)))
        if who == first:
            curves.append(Curve("Nats per token", f"by {name}s", x, y, "latent frame", "nats"))
        if name == "row" and first == "true":
            curves.append(Curve("Nats per token by caption, by rows", f"with {_TOLD[who]}", x, y, "latent frame", "nats"))
    return curves


def _about_captions(study: Study, told: dict[str, list[Timed]]) -> str:
    if "true" not in told:
        return NO_TWO_CAPTIONS
    unknown = 100 * unknown_words(study)
    known = f" The bundle does not know {unknown:.0f} % of the words of these captions." if unknown >= 0.5 else ""
    return (
        "What a caption is worth is what the true caption saves against none, and against that of another clip. If both are near "
        f"0, the video LM does not listen to its prompt.{known}"
    )


def _samples(clips: tuple[CaptionedClip, ...], nats: list[Tensor], length: int) -> tuple[Sample, ...]:
    samples = [
        Sample(clip.name, f"{float(row.mean()):.2f} nats per token, by rows", float(row.mean()), clip.frames[:length])
        for clip, row in zip(clips, nats, strict=True)
    ]
    return worst_and_typical(samples, 3)
