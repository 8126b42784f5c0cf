"""Snapshots: a stream as bytes and back; plain tensors and values, none of which can run code.

Each tensor of a stream's state has the name of its place in the state, such as `lm.layers.3.keys`. In format 1, which is still
read, tensors were numbered in the order in which they are met.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..data import Caption
from ..data.actions import ActionSpace
from ..state import named_tensors
from .codec import VideoCodec
from .guides import Guides
from .packing import PackingError, pack, unpack
from .params import SamplingParams
from .past import Changes, Past, Recipe
from .prompts import begins_unsaid
from .stepper import Stepper
from .steps import Frame, GeneratorState, known_rows

_FORMAT, _NUMBERED_FORMAT = 2, 1
_STATE, _MASK, _PLANNED = "state.", "prompts.mask", "planned"
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError)
"""What building a stream from strange values raises."""


class SnapshotError(ValueError):
    """A snapshot that cannot be restored; the message says why and what to do."""


class Snapshot(NamedTuple):
    """A moment of a stream.

    Attributes:
        state: Where the stream stands.
        past: All latent frames so far.
        pending: Frames that were made and not yet taken.
    """

    state: GeneratorState
    past: Past
    pending: Sequence[Frame]


def pack_snapshot(snapshot: Snapshot, stepper: Stepper) -> bytes:
    """All of a moment - states, tokens, prompts, noise, pending frames - and the hashes of the networks it is of."""
    state, past, pending, codec = snapshot.state, snapshot.past, snapshot.pending, stepper.codec
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
        "prompts": past.prompts,
        "pending": [[frame.index, frame.latent_index, frame.prompt] for frame in pending],
    }
    if past.recipes not in ((), _plain_recipes(state)):
        values["recipes"] = [[start, recipe.values()] for start, recipe in past.recipes]
    if past.actions is not None:
        tensors["actions"] = past.actions
        values["action_guided"] = state.guides.action
    return pack({**tensors, "tokens": past.tokens.int(), "images": images}, values)


def _plain_recipes(state: GeneratorState) -> Changes[Recipe]:
    """How all latent frames were made, if nothing was given or changed on the way."""
    return ((0, Recipe(state.seed, state.params)),)


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
    if state.planned is not None:
        state.planned = state.planned.new_empty(len(kept[_PLANNED]), *state.planned.shape[1:])
    _fill(state, kept)
    state.seed = int(values["seed"])  # older versions took any number
    state.upcoming = tuple(Caption(int(start), str(text)) for start, text in values["upcoming"])
    state.latent_index, state.decoder.started = latent_index, latent_index > 0
    past = Past(
        _checked_tokens(tensors["tokens"], latent_index, stepper),
        tuple((int(start), str(text)) for start, text in values["prompts"]),
        _recipes(values, state) if latent_index else (),
        _checked_actions(tensors, state, latent_index, stepper.action_space),
    )
    images = _checked_images(tensors["images"], stepper.codec)
    places = values["ready" if values["format"] == _NUMBERED_FORMAT else "pending"]
    pending = [_frame(image, place, past, stepper.codec) for image, place in zip(images, places, strict=True)]
    return Snapshot(state, past, pending)


def _recipes(values: Mapping[str, Any], state: GeneratorState) -> Changes[Recipe]:
    """How the latent frames were made; older versions did not say it."""
    if "recipes" not in values:
        return _plain_recipes(state)
    return tuple((int(start), Recipe.of_values(how)) for start, how in values["recipes"])


def _checked_actions(
    tensors: Mapping[str, Tensor], state: GeneratorState, latent_index: int, space: ActionSpace | None
) -> Tensor | None:
    """The actions of the past, and those that are planned in the state, if all of them can be."""
    if space is None or state.planned is None or state.action is None:
        return None
    actions = tensors["actions"]
    if actions.shape != (latent_index, *state.planned.shape[1:]):
        raise ValueError(f"actions of {list(actions.shape)} at latent frame {latent_index}")
    for rows in (actions, state.planned, state.action):
        space.check(rows.numpy())
    return actions


def _frame(image: Tensor, place: Sequence[Any], past: Past, codec: VideoCodec) -> Frame:
    """A frame that was not yet taken, at its index, latent frame and prompt."""
    index, latent_index, prompt = place
    action = None
    if past.actions is not None:
        (action,) = known_rows(past.actions[latent_index, index - codec.stride.num_frames(latent_index + 1)][None])
    return Frame(image, index, latent_index, prompt, action)


def _fresh_state(stepper: Stepper, params: SamplingParams, values: Mapping[str, Any]) -> GeneratorState:
    """A state of the snapshot's kind, whose tensors are still to be filled."""
    prompt, every = str(values["prompt"]), values["reanchor_every"]
    guides = Guides(bool(values["guided"]), bool(values.get("action_guided", False)))
    if not guides.cover(params.guides):  # there may be more: it began with guidance, and was then set to none
        raise ValueError(f"guided {values['guided']!r} with the settings {params}")
    if guides.text and begins_unsaid(prompt):
        raise ValueError("guidance on a prompt that says nothing")
    return stepper.init_state([(0.0, prompt)], 0, params, None if every is None else int(every), guides)


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
