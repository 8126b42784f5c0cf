"""Starting a training from the video LM of a bundle."""

import re
from dataclasses import fields

from torch import nn

from ..data.actions import ActionSpace
from ..model import VideoLM, VideoLMConfig
from ..sample import Bundle

_SEEN = ("sink_frames", "context_frames")  # what a model sees is not in its weights
_ACTIONS = ("num_actions", "action_frames", "action_conditioning")
_CHOICES = ("rewards", "ends", "embedding_skip", "value_embeddings")
_ADDED = re.compile(r"(action_encoder|heads)\..*|.*\.(skip|value_embedding\.(gate|table\.weight))")
"""Parts that a model without them goes on with: they start as if they were not there."""


def start_from(lm: VideoLM, start: Bundle, data: Bundle, space: ActionSpace | None = None) -> None:
    """Puts the weights of the LM in the bundle `start` into `lm`, which is to learn from the tokens of the bundle `data`.

    Args:
        lm: What is to be trained.
        start: Where its weights come from.
        data: The bundle of the tokenizer.
        space: The actions of the clips that are trained on; None if they have none.

    Raises:
        ValueError: `start` has no LM, one of another shape, or one that knows other tokens, other text ids or other actions.
    """
    if start.lm is None:
        raise ValueError(f"cannot start from {start.path}: it holds a tokenizer and no video LM; name a bundle with one")
    other = [name for name in ("tokenizer.safetensors", "text.model") if start.hashes[name] != data.hashes.get(name)]
    if other:
        raise ValueError(
            f"cannot start from {start.path}: the data were made with another {other[0]}, that of {data.path}; set "
            f"`data.init_args.tokenizer` to {start.path} too"
        )
    _check_actions(start, space)
    wrong = [name for name in _compared(start.lm) if getattr(start.lm.config, name) != getattr(lm.config, name)]
    if wrong:
        had, wanted = getattr(start.lm.config, wrong[0]), getattr(lm.config, wrong[0])
        raise ValueError(
            f"cannot start from {start.path}: its video LM has {wrong[0]} {had}, and {wanted} is wanted; make them equal in "
            "`model.init_args.lm`"
        )
    missing, extra = lm.load_state_dict(start.lm.state_dict(), strict=False)
    assert not extra and all(map(_ADDED.fullmatch, missing)), (missing, extra)
    for name in missing:
        if name.endswith("value_embedding.table.weight"):
            nn.init.zeros_(lm.get_parameter(name))


def _compared(start: VideoLM) -> list[str]:
    """What must be equal: not what is seen, and not what a model has none of and can be given."""
    added = () if start.config.num_actions else _ACTIONS
    choices = [name for name in _CHOICES if not getattr(start.config, name)]
    return [field.name for field in fields(VideoLMConfig) if field.name not in (*_SEEN, *added, *choices)]


def _check_actions(start: Bundle, space: ActionSpace | None) -> None:
    """A model of a world goes on in the same world."""
    if start.action_space is None or start.action_space == space:
        return
    clips = "no actions" if space is None else f"those of {space}"
    raise ValueError(
        f"cannot start from {start.path}: it is a model of {start.action_space}, and the clips have {clips}; wanted clips of the "
        "same actions; or start from a bundle without actions"
    )
