"""`LitFromBundle`: what trains the video LM of a bundle further, and compares it with what it was."""

from dataclasses import fields
from typing import Any

from ..model import VideoLM, VideoLMShape
from ..sample import load_bundle
from .lm_module import LitVideoLM


class LitFromBundle(LitVideoLM):
    """Goes on from the video LM of a bundle, in its shape, and keeps beside it what the run began with, whole in every process.

    Args:
        init_from: Folder of the bundle; the same as `data.init_args.tokenizer`.
        options: As of `LitVideoLM`, but for `lm`.

    Raises:
        ValueError: The bundle holds no video LM.
    """

    can_be_sharded = False

    def __init__(self, init_from: str, **options: Any):
        config = _lm_of(init_from).config
        shape = VideoLMShape(**{own.name: getattr(config, own.name) for own in fields(VideoLMShape)})
        super().__init__(shape, init_from=init_from, **options)
        self._start: list[VideoLM] = []  # in a list, since it is no part of what is trained

    def on_fit_start(self) -> None:
        super().on_fit_start()
        assert self.init_from is not None
        self._start = [_lm_of(self.init_from).to(self.device).float().requires_grad_(False).eval()]

    @property
    def start(self) -> VideoLM:
        """What the run began with; it does not learn."""
        return self._start[0]


def _lm_of(folder: str) -> VideoLM:
    """The video LM of a bundle; raises ValueError if it holds none."""
    lm = load_bundle(folder).lm
    if lm is None:
        raise ValueError(f"cannot start from {folder}: it holds a tokenizer and no video LM; name a bundle with one")
    return lm
