"""Snapshots: a stream as bytes and back; plain tensors and values, none of which can run code.

Each tensor of a stream's state has the name of its place in the state, such as `lm.layers.3.keys`. In format 1, which is still
read, tensors were numbered in the order in which they are met.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..data import Caption
from ..state import named_tensors
from .codec import VideoCodec
from .packing import PackingError, pack, unpack
from .params import SamplingParams
from .stepper import Stepper
from .steps import Frame, GeneratorState

_FORMAT, _NUMBERED_FORMAT = 2, 1
_STATE, _MASK = "state.", "prompts.mask"
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError)
"""What building a stream from strange values raises."""


class SnapshotError(ValueError):
    """A snapshot that cannot be restored; the message says why and what to do."""


class Snapshot(NamedTuple):
    """A moment of a stream.

    Attributes:
        state: Where the stream stands.
        tokens: int64 `[T, H, W]`, all tokens so far.
        prompts: The prompts that held for them, with the latent frames from which they did.
        pending: Frames that were made and not yet taken.
    """

    state: GeneratorState
    tokens: Tensor
    prompts: Sequence[tuple[int, str]]
    pending: Sequence[Frame]


def pack_snapshot(snapshot: Snapshot, stepper: Stepper) -> bytes:
    """All of a moment - states, tokens, prompts, noise, pending frames - and the hashes of the networks it is of."""
    state, pending, codec = snapshot.state, snapshot.pending, stepper.codec
    no_image = torch.empty(0, codec.height, codec.width, 3, dtype=torch.uint8)
    images = torch.stack([frame.image for frame in pending]) if pending else no_image
    tensors = {f"{_STATE}{name}": tensor for name, tensor in named_tensors(state).items()}
    values = {
        "format": _FORMAT,
        "hashes": stepper.hashes,
        "prompt": state.prompt,
        "upcoming": [[caption.start, caption.text] for caption in state.upcoming],
        "latent_index": state.latent_index,
        "seed": state.seed,
        "params": state.params.values(),
        "guided": state.guided,
        "reanchor_every": None if state.anchor is None else state.anchor.every,
        "prompts": snapshot.prompts,
        "pending": [[frame.index, frame.latent_index, frame.prompt] for frame in pending],
    }
    return pack({**tensors, "tokens": snapshot.tokens.int(), "images": images}, values)


def read_about(data: bytes) -> dict[str, Any]:
    """What a snapshot says beside its tensors: prompt, seed, settings, place; of any networks, none of which are needed.

    Raises:
        SnapshotError: The bytes are damaged, or no snapshot.
    """
    return _unpack(data)[1]


@torch.inference_mode()
def unpack_snapshot(data: bytes, stepper: Stepper) -> Snapshot:
    """The inverse of `pack_snapshot`, for the same networks.

    Raises:
        SnapshotError: It is damaged, or was made by other networks.
    """
    tensors, values = _unpack(data)
    _check_hashes(stepper.hashes, values.get("hashes"))
    try:
        return _build(stepper, tensors, values)
    except _MISFITS as error:
        raise SnapshotError(
            f"got a snapshot of no stream of these networks ({type(error).__name__}: {error}); take another"
        ) from error


def _unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        tensors, values = unpack(data)
        if values["format"] not in (_FORMAT, _NUMBERED_FORMAT):
            raise PackingError(f"format {values['format']!r}; this version reads formats {_NUMBERED_FORMAT} and {_FORMAT}")
    except (PackingError, LookupError) as error:
        raise SnapshotError(f"got no whole snapshot: {error}; take the bytes that `stream.snapshot()` gave") from error
    return tensors, values


def _build(stepper: Stepper, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> Snapshot:
    params, latent_index = SamplingParams(**values["params"]), int(values["latent_index"])
    state = _fresh_state(stepper, params, values)
    kept = _state_tensors(tensors, list(named_tensors(state)), numbered=values["format"] == _NUMBERED_FORMAT)
    room = kept[_MASK].shape[-1]  # older versions made more text ids of some prompts
    if not 1 <= room <= stepper.lm.config.max_prompt_length:
        raise ValueError(f"a prompt of {room} text ids")
    state.prompts = state.prompts.with_room(room)
    _fill(state, kept)
    state.seed = int(values["seed"])  # older versions took any number
    state.upcoming = tuple(Caption(int(start), str(text)) for start, text in values["upcoming"])
    state.latent_index, state.decoder.started = latent_index, latent_index > 0
    tokens = _checked_tokens(tensors["tokens"], latent_index, stepper)
    images = _checked_images(tensors["images"], stepper.codec)
    places = values["ready" if values["format"] == _NUMBERED_FORMAT else "pending"]
    pending = [Frame(image, *place) for image, place in zip(images, places, strict=True)]
    return Snapshot(state, tokens, [(int(start), str(text)) for start, text in values["prompts"]], pending)


def _fresh_state(stepper: Stepper, params: SamplingParams, values: Mapping[str, Any]) -> GeneratorState:
    """A state of the snapshot's kind, whose tensors are still to be filled."""
    prompt, every = str(values["prompt"]), values["reanchor_every"]
    state = stepper.init_state([(0.0, prompt)], 0, params, None if every is None else int(every))
    if values["guided"] and not state.guided:  # it began with guidance, and was then set to none
        state.lm, state.prompts = stepper.lm.init_state(2), stepper.encode_prompt(prompt, guided=True)
    if state.guided != values["guided"]:
        raise ValueError(f"guided {values['guided']!r} with the settings {params}")
    return state


def _state_tensors(tensors: Mapping[str, Tensor], names: Sequence[str], numbered: bool) -> dict[str, Tensor]:
    """The tensors of the state by their names."""
    kept = {name.removeprefix(_STATE): tensors[name] for name in sorted(tensors) if name.startswith(_STATE)}
    if numbered:
        return dict(zip(names, kept.values(), strict=True))
    if kept.keys() != set(names):
        raise ValueError(f"tensors {sorted(kept.keys() ^ set(names))[:3]} that only one of snapshot and networks has")
    return kept


def _fill(state: GeneratorState, values: Mapping[str, Tensor]) -> None:
    """Puts values into the tensors of a fresh state; all of its own shapes and types, nothing else."""
    own = named_tensors(state)
    for name, tensor in own.items():
        given, wanted = ((list(x.shape), x.dtype) for x in (values[name], tensor))
        if given != wanted:
            raise ValueError(f"{name} is a tensor of {given} in the place of one of {wanted}")
    for name, tensor in own.items():
        tensor.copy_(values[name])


def _checked_tokens(tokens: Tensor, latent_index: int, stepper: Stepper) -> Tensor:
    if tokens.shape != (latent_index, *stepper.codec.frame_shape):
        raise ValueError(f"{list(tokens.shape)} tokens at latent frame {latent_index}")
    if tokens.numel() and not (tokens.min() >= 0 and tokens.max() < stepper.lm.config.codebook_size):
        raise ValueError("tokens beyond the codebook")
    return tokens


def _checked_images(images: Tensor, codec: VideoCodec) -> Tensor:
    if images.dtype != torch.uint8 or images.shape[1:] != (codec.height, codec.width, 3):
        raise ValueError(f"frames of {list(images.shape)} and {images.dtype}")
    return images


def _check_hashes(own: Mapping[str, str], made: object) -> None:
    made = made if isinstance(made, dict) else {}
    other = [name for name in own if own[name] != made.get(name)]
    if other:
        name = other[0]
        raise SnapshotError(
            f"got a snapshot that was made by another {name} (sha256 {str(made.get(name))[:12]}...) than this generator's "
            f"({own[name][:12]}...); load the bundle that made it"
        )
