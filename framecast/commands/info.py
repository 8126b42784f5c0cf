"""`framecast info`: what a bundle holds."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from .options import add_named_bundle

HELP = "say what a bundle holds"
_SHOWN_WORDS = 80

if TYPE_CHECKING:
    from torch import nn

    from ..sample import Bundle


def add_options(parser: ArgumentParser) -> None:
    add_named_bundle(parser)


def run(arguments: Namespace) -> None:
    from ..sample import load_bundle

    bundle = load_bundle(arguments.bundle)
    tokenizer, lm = bundle.tokenizer, bundle.lm
    rows = [
        ("folder", bundle.path),
        ("video", f"{bundle.height}x{bundle.width} pixels, {bundle.fps:g} frames/s"),
        ("tokenizer", f"{_count(tokenizer)} parameters, {type(tokenizer.quantizer).__name__}, {tokenizer.codebook_size:,} codes"),
        ("strides", f"{tokenizer.temporal_stride} frames, {tokenizer.spatial_stride} pixels"),
    ]
    if lm is not None:
        config = lm.config
        rows += [
            ("video LM", f"{_count(lm)} parameters, width {config.width}, {config.num_layers} layers"),
            ("tokens", f"{config.frame_shape[0]}x{config.frame_shape[1]} in a latent frame"),
            ("context", f"{config.sink_frames} sink and {config.context_frames} latest latent frames"),
            ("words", _shown_words(bundle)),
        ]
    rows += [(f"training {name}", value) for name, value in bundle.training.items()]
    rows += [(name, digest[:16]) for name, digest in bundle.hashes.items()]
    for name, value in rows:
        print(f"{name:24} {value}")


def _shown_words(bundle: "Bundle") -> str:
    """The words of the training captions, as far as they are known and few."""
    words = bundle.text_tokenizer.words if bundle.text_tokenizer else None
    if words is None:
        return "not known: the bundle does not say"
    return f"{len(words):,}, {' '.join(sorted(words)[:_SHOWN_WORDS])}{' ...' if len(words) > _SHOWN_WORDS else ''}"


def _count(module: "nn.Module") -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f}M"
