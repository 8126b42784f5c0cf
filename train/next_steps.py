"""What to type next: the end of a training, and that of one that was stopped."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from ..data import ClipSource, SpriteWorld, VideoFolder
from .card import Terms
from .lm_module import LitVideoLM
from .module import TrainingModule


def after_training(bundle: Path, module: TrainingModule, terms: Terms) -> Iterator[str]:
    """The commands that a person may want now, with the true paths, one a line."""
    yield "next:"
    for line in look_at(bundle, module):
        yield f"  {line}"
    folder = shlex.quote(str(bundle))
    if isinstance(module, LitVideoLM):
        source = module.trainer.datamodule.source
        yield f"  framecast {'serve' if source.action_space is None else 'play'} {folder}"
        yield f"  framecast evaluate {folder}{_measured_on(source)}"
    else:
        yield f"  {_lm_command(folder, module)}"
    if terms.licence is None:
        yield "no licence was given: `--export.licence`, or `--licence` of `framecast export`, names one, such as Apache-2.0"


def _measured_on(source: ClipSource) -> str:
    """The option that says on what a bundle is measured: a bundle of sprites needs none."""
    inner = _innermost(source)
    if isinstance(inner, SpriteWorld):
        return ""
    kind = "real" if source.action_space is None else "world"
    return f" --{kind} {shlex.quote(str(inner.root))}" if isinstance(inner, VideoFolder) else f" --{kind} FOLDER_OF_VIDEOS"


def _innermost(source: ClipSource) -> ClipSource:
    """The source within sources, such as crops, which is where the clips come from."""
    within = getattr(source, "source", None)
    return _innermost(within) if isinstance(within, ClipSource) else source


def _lm_command(folder: str, module: TrainingModule) -> str:
    """How to train a video LM on the tokens of a tokenizer."""
    source = _innermost(module.trainer.datamodule.source)
    tokenizer = f"--data.init_args.tokenizer {folder}"
    if isinstance(source, VideoFolder):
        config, within = ("folder_lm", "source.init_args.source") if source.action_space is None else ("world_lm", "source")
        root = f"--data.init_args.{within}.init_args.root {shlex.quote(str(source.root))}"
        return f"framecast train fit --config {config} {root} {tokenizer}"
    return f"framecast train fit --config CONFIG_OF_THE_VIDEO_LM {tokenizer}"


def look_at(bundle: Path, module: TrainingModule) -> Iterator[str]:
    """The commands that show what a bundle makes."""
    folder = shlex.quote(str(bundle))
    if not isinstance(module, LitVideoLM):
        yield f"framecast reconstruct VIDEO --bundle {folder} --out beside.mp4"
        return
    prompt, options = prompt_of(module)
    yield f"framecast sample {shlex.quote(prompt)} --bundle {folder}{options} --out clip.mp4"
    yield f"framecast continue VIDEO --prompt {shlex.quote(prompt)} --bundle {folder}{options} --out longer.mp4"


def prompt_of(module: LitVideoLM) -> tuple[str, str]:
    """A prompt that the model knows, and the options that it needs.

    A model whose clips had no captions knows the null prompt alone, which a guidance scale of 0 gives, whatever the prompt.
    """
    first = module.data.first_prompts(1)
    return (first[0], "") if first else ("a video", " --guidance_scale 0")
