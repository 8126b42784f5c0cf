"""The video LM alone: how well it predicts the tokens of true clips."""

from math import log

import torch
from torch import Tensor

from ..data import to_video
from ..data.timeline import latent_captions
from ..model import VideoLM, shift_tokens, to_sequence
from .figures import Curve, Section, mean_of, share_of
from .study import Progress, Study
from .wrong_tokens import ABOUT_WRONG_TOKENS, WrongTokens


@torch.inference_mode()
def prediction(study: Study, progress: Progress) -> Section:
    """Nats per token of the video LM, by block length and by latent frame."""
    lm, bundle = study.bundle.lm, study.bundle
    assert lm is not None
    length = min(study.num_frames, bundle.tokenizer.num_frames(lm.config.max_parallel_frames))
    world = study.world(length, study.combinations[0], seed=5)
    blocks = block_lengths(lm)
    nats: dict[str, list[Tensor]] = {name: [] for name in blocks}
    repeats, wrong = list[Tensor](), WrongTokens()
    for index in range(study.settings.clips):
        clip = world[index]
        video = to_video(clip.frames)[None]
        tokens = bundle.tokenizer.encode(video)
        repeats.append((tokens[:, 1:] == tokens[:, :-1]).float().mean(dim=(0, 2, 3)))
        captions = latent_captions(clip.captions, bundle.tokenizer.stride)
        texts, starts = [c.text for c in captions], [c.start for c in captions]
        for name, block_length in blocks.items():
            hidden = predicting(study, lm, tokens, texts, starts, block_length)
            nats[name].append(token_nats(lm, hidden, tokens))
            if name == "row":
                wrong.note(bundle.tokenizer, lm, hidden, tokens, video)
        progress((index + 1) / study.settings.clips)
    pixels = length * bundle.height * bundle.width / tokens.numel()
    figures = [
        mean_of(f"nats per token, by {name}s", [float(row.mean()) for row in rows], unit="nats", better="lower")
        for name, rows in nats.items()
    ]
    figures += [
        mean_of(f"bits per pixel, by {name}s", [float(row.mean()) / log(2) / pixels for row in rows], better="lower")
        for name, rows in nats.items()
    ]
    figures.append(
        share_of("tokens equal to the same place in the last latent frame", [float(r.mean()) for r in repeats], better="")
    )
    figures += wrong.figures()
    x = tuple(float(index) for index in range(tokens.shape[1]))
    curves = [
        Curve("Nats per token", f"by {name}s", x, tuple(torch.stack(rows).mean(0).tolist()), "latent frame", "nats")
        for name, rows in nats.items()
    ]
    return Section(
        "prediction",
        "Video LM: prediction",
        f"{study.settings.clips} clips of {length} frames of the sprite world that were not trained on, with their captions, "
        "given all true tokens before each block. The first latent frame is always predicted token by token. "
        + ABOUT_WRONG_TOKENS,
        tuple(figures),
        tuple(curves),
    )


def block_lengths(lm: VideoLM) -> dict[str, int]:
    """How many tokens are predicted at a time, by name."""
    return {"token": 1, "row": lm.config.frame_shape[1], "frame": lm.frame_length}


def predicting(study: Study, lm: VideoLM, tokens: Tensor, texts: list[str], starts: list[int], block_length: int) -> Tensor:
    """`[1, S, E]`, what each of `tokens` `[1, T, H, W]` is predicted from."""
    text = study.bundle.text_tokenizer
    assert text is not None
    ids = text.batch(texts, lm.config.max_prompt_length)[None]
    prompts = lm.encode_prompts(ids, ids != text.pad_id, torch.tensor([starts]), tokens.shape[1])
    hidden: Tensor = lm(shift_tokens(tokens, block_length, lm.start_id), prompts, block_length).hidden
    return hidden


def token_nats(lm: VideoLM, hidden: Tensor, tokens: Tensor) -> Tensor:
    """Float32 `[T]`, what a token of each latent frame costs; `hidden` is what predicts them."""
    nll = lm.vocabulary.loss(hidden, to_sequence(tokens)).nll
    return nll.unflatten(1, (tokens.shape[1], -1)).mean(dim=(0, 2))
