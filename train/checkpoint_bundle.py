"""A bundle out of a checkpoint, at any time: also of a run that was stopped, or could not export what it had learned."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data.actions import ActionSpace
from ..sample import Start, load_bundle, save_bundle
from ..sample.bundle_config import build_networks, describe_networks
from ..sample.bundle_files import space_of
from ..sample.bundle_folder import TOKENIZER, check_bundle_folder
from ..tokenizer import TextTokenizer, VideoTokenizer
from .card import Terms, model_card
from .checkpoints import AtomicCheckpointIO
from .description import without_folders
from .module import TrainingModule
from .restoring import check_weights

BUNDLE_KEY = "bundle"
"""Where a checkpoint says what its bundle is to be."""


def describe_bundle(module: TrainingModule, about: dict[str, Any]) -> dict[str, Any]:
    """What it takes to make a bundle of the weights of a training, plain values and tensors; `about` is kept with it.

    Args:
        module: The training.
        about: What `write_bundle` takes beside the networks.
    """
    parts = module.bundle()
    picture = about["picture"]
    text: TextTokenizer | None = parts.get("text_tokenizer")
    space: ActionSpace | None = parts.get("action_space")
    return {
        **about,
        "picture": None if picture is None else _as_tensor(picture),
        "networks": describe_networks(parts["tokenizer"], parts.get("lm")),
        "tokenizer": module.tokenizer_bundle,
        "text": None if text is None else {"model": _as_tensor(text.model_bytes), "words": sorted(text.words or ())},
        "action_space": None if space is None else space.to_json(),
        "starts": [vars(start) for start in parts.get("starts", ())],
    }


def write_bundle(
    folder: Path,
    parts: Mapping[str, Any],
    *,
    video: Mapping[str, float],
    training: Mapping[str, Any],
    card: str,
    picture: bytes | None,
    dtype: torch.dtype,
    sampling: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a bundle with its model card.

    Args:
        folder: Where to; the folder above it must exist.
        parts: The networks, as arguments of `save_bundle`.
        video: `height`, `width` and `fps`.
        training: How it was made; paths in it become names.
        card: What its author says first on the card.
        picture: The picture of the card, a small JPEG.
        dtype: Precision of the stored weights.
        sampling: How tokens are best chosen.
    """
    training = without_folders(dict(training))
    is_lm, space = parts.get("lm") is not None, parts.get("action_space")
    written = model_card(training, video, is_lm, card, picture is not None, space)
    about: Any = {"video": video, "training": training, "card": written, "picture": picture, "dtype": dtype}
    return save_bundle(folder, **parts, **about, params=sampling)


def export_checkpoint(checkpoint: str | Path, folder: str | Path, terms: Terms | None = None, card: str | None = None) -> Path:
    """Writes the bundle of a checkpoint, with the averaged weights, as the end of its training would have done.

    Args:
        checkpoint: A file that a training of this version keeps, such as `runs/mine/checkpoints/last.ckpt`. The checkpoint of a
            video LM needs the bundle of its tokenizer, where that was then.
        folder: Where the bundle goes; the folder above it must exist.
        terms: Title and licence in the place of those that the training was given; what is None stays.
        card: What the model card says first, in the place of what the training was given; None stays.

    Raises:
        ValueError: The checkpoint is damaged, says nothing of its bundle, or its tokenizer is gone or another one; or the folder
            cannot be written.
    """
    folder = Path(folder)
    check_bundle_folder(folder)
    saved = AtomicCheckpointIO().load_checkpoint(checkpoint)
    about = saved.get(BUNDLE_KEY)
    if not isinstance(about, dict):
        raise ValueError(
            f"checkpoint {checkpoint} does not say what its bundle is to be; wanted one of `framecast train` of this version; "
            "go on with its training by one step, which keeps a new one"
        )
    try:
        parts = _parts(saved, about)
        training = {**about["training"], **given_terms(terms or Terms())}
        picture = about.get("picture")  # trainings of earlier versions keep none
        return write_bundle(
            folder,
            parts,
            video=about["video"],
            training=training,
            card=about["card"] if card is None else card,
            picture=None if picture is None else bytes(picture.tolist()),
            dtype=getattr(torch, about["dtype"]),
            sampling=about.get("sampling"),  # nor that
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"checkpoint {checkpoint} cannot be exported ({error}); take another one") from error


def given_terms(terms: Terms) -> dict[str, str]:
    """The terms that are given, as a bundle keeps them."""
    return {name: value for name, value in asdict(terms).items() if value is not None}


def _parts(saved: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """The networks with their weights, as arguments of `save_bundle`."""
    tokenizer, lm = build_networks(about["networks"])
    average, space = saved["callbacks"]["EMA"]["average"], space_of(dict(about))
    if lm is None:
        _fill(tokenizer, "tokenizer.", saved["state_dict"], average)
        return {"tokenizer": tokenizer, "action_space": space}
    _fill(lm, "lm.", saved["state_dict"], average)
    starts = tuple(Start(**start) for start in about.get("starts", ()))
    text = TextTokenizer(bytes(about["text"]["model"].tolist()), about["text"]["words"])
    return {
        "tokenizer": _tokenizer_of(about["tokenizer"]),
        "lm": lm,
        "text_tokenizer": text,
        "action_space": space,
        "starts": starts,
    }


def _fill(network: nn.Module, prefix: str, state: Mapping[str, Tensor], average: Mapping[str, Tensor]) -> None:
    """Puts the averaged weights into a network; what is not averaged is as it was in the training."""
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    weights = {**own, **average}
    check_weights(weights, network.state_dict())
    network.load_state_dict(weights)


def _tokenizer_of(known: Mapping[str, str]) -> VideoTokenizer:
    bundle = load_bundle(known["folder"])
    if bundle.hashes[TOKENIZER] != known["sha256"]:
        raise ValueError(f"its tokenizer was that of {known['folder']}, where there is another one now; put the old one back")
    return bundle.tokenizer


def _as_tensor(data: bytes) -> Tensor:
    return torch.tensor(list(data), dtype=torch.uint8)
