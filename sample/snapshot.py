"""Snapshots: a stream as bytes, and the stream of such bytes; plain tensors and values, none of which can run code."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import Caption
from ..model import PromptMemory
from ..state import tensors_of
from .packing import PackingError, pack, unpack
from .params import SamplingParams
from .stream import Frame, Stream

if TYPE_CHECKING:
    from .generator import VideoGenerator
    from .steps import GeneratorState

_FORMAT = 1
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError)
"""What building a stream from strange values raises."""


class SnapshotError(ValueError):
    """A snapshot that cannot be restored; the message says why and what to do."""


def snapshot_stream(stream: Stream) -> bytes:
    """All of a stream: tokens, states, prompts, noise, frames that are ready, and the hashes of its networks."""
    state, ready = stream.state, stream.ready
    shape = (stream.generator.height, stream.generator.width, 3)
    images = torch.stack([frame.image for frame in ready]) if ready else torch.empty(0, *shape, dtype=torch.uint8)
    tensors = {f"state.{place:05}": tensor for place, tensor in enumerate(tensors_of(state))}
    values = {
        "format": _FORMAT,
        "hashes": stream.generator.hashes,
        "prompt": state.prompt,
        "upcoming": [[caption.start, caption.text] for caption in state.upcoming],
        "latent_index": state.latent_index,
        "seed": state.seed,
        "params": asdict(state.params),
        "guided": state.guided,
        "reanchor_every": None if state.anchor is None else state.anchor.every,
        "prompts": stream.prompts,
        "ready": [[frame.index, frame.latent_index, frame.prompt] for frame in ready],
    }
    return pack({**tensors, "tokens": stream.log.tokens().int(), "images": images}, values)


@torch.inference_mode()
def restore_stream(generator: "VideoGenerator", snapshot: bytes) -> Stream:
    """The stream of a snapshot.

    Raises:
        SnapshotError: It is damaged, or was made by other networks.
    """
    try:
        tensors, values = unpack(snapshot)
        if values["format"] != _FORMAT:
            raise PackingError(f"format {values['format']!r}; this version reads format {_FORMAT}")
    except (PackingError, LookupError) as error:
        raise SnapshotError(f"got no whole snapshot: {error}; take the bytes that `stream.snapshot()` gave") from error
    _check_hashes(generator.hashes, values.get("hashes"))
    try:
        return _restore(generator, tensors, values)
    except _MISFITS as error:
        raise SnapshotError(
            f"got a snapshot of no stream of these networks ({type(error).__name__}: {error}); take another"
        ) from error


def _restore(generator: "VideoGenerator", tensors: dict[str, Tensor], values: dict[str, Any]) -> Stream:
    params, prompt, latent_index = SamplingParams(**values["params"]), str(values["prompt"]), int(values["latent_index"])
    every = values["reanchor_every"]
    state = generator.init_state([(0.0, prompt)], 0, params, None if every is None else int(every))
    state.seed = int(values["seed"])  # older versions took any number
    if values["guided"] and not state.guided:  # it began with guidance, and was then set to none
        state.lm, state.prompts = generator.lm.init_state(2), generator.encode_prompt(prompt, guided=True)
    if state.guided != values["guided"]:
        raise ValueError(f"guided {values['guided']!r} with the settings {params}")
    names = sorted(name for name in tensors if name.startswith("state."))
    kept = [tensors[name] for name in names]
    state.prompts = _with_room(state.prompts, kept[_place_of_mask(state)].shape[-1], generator.lm.config.max_prompt_length)
    _fill(state, kept)
    state.upcoming = tuple(Caption(int(start), str(text)) for start, text in values["upcoming"])
    state.latent_index, state.decoder.started = latent_index, latent_index > 0
    tokens, images = tensors["tokens"], tensors["images"]
    if tokens.shape != (latent_index, *generator.lm.config.frame_shape):
        raise ValueError(f"{list(tokens.shape)} tokens at latent frame {latent_index}")
    if tokens.numel() and not (tokens.min() >= 0 and tokens.max() < generator.lm.config.codebook_size):
        raise ValueError("tokens beyond the codebook")
    if images.dtype != torch.uint8 or images.shape[1:] != (generator.height, generator.width, 3):
        raise ValueError(f"frames of {list(images.shape)} and {images.dtype}")
    ready = [Frame(image, *place) for image, place in zip(images, values["ready"], strict=True)]
    prompts = [(int(start), str(text)) for start, text in values["prompts"]]
    return Stream(generator, state, tokens, prompts, ready)


def _place_of_mask(state: "GeneratorState") -> int:
    """Where the prompt's mask is among the tensors of a state."""
    return next(place for place, tensor in enumerate(tensors_of(state)) if tensor is state.prompts.mask)


def _with_room(prompts: PromptMemory, length: int, most: int) -> PromptMemory:
    """The same with room for so many text ids: older versions made more of some prompts, which is what their snapshots hold."""
    if not 1 <= length <= most:
        raise ValueError(f"a prompt of {length} text ids")
    missing = length - prompts.mask.shape[-1]  # what is beyond is cut off; all of it is filled anew
    keys, values = (F.pad(x, (0, 0, 0, missing)) for x in (prompts.keys, prompts.values))
    return PromptMemory(keys, values, F.pad(prompts.mask, (0, missing)))


def _fill(state: "GeneratorState", values: list[Tensor]) -> None:
    """Puts values into the tensors of a fresh state; all of its own shapes and types, nothing else."""
    own = tensors_of(state)
    shapes = [[(list(tensor.shape), tensor.dtype) for tensor in tensors] for tensors in (own, values)]
    wrong = [place for place, (a, b) in enumerate(zip(*shapes, strict=True)) if a != b]
    if wrong:
        raise ValueError(f"a tensor of {shapes[1][wrong[0]]} in the place of one of {shapes[0][wrong[0]]}")
    for tensor, value in zip(own, values, strict=True):
        tensor.copy_(value)


def _check_hashes(own: dict[str, str], made: object) -> None:
    made = made if isinstance(made, dict) else {}
    other = [name for name in own if own[name] != made.get(name)]
    if other:
        name = other[0]
        raise SnapshotError(
            f"got a snapshot that was made by another {name} (sha256 {str(made.get(name))[:12]}...) than this generator's "
            f"({own[name][:12]}...); load the bundle that made it"
        )
