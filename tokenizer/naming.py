"""The quantizers by name, none of which is loaded before it is asked for."""

import importlib

from .quantizer import Quantizer

_FILES = {
    "FSQ": ".fsq",
    "LFQ": ".quantizers",
    "VQ": ".quantizers",
    "SimVQ": ".quantizers",
    "ResidualFSQ": ".quantizers",
    "ResidualVQ": ".quantizers",
    "ResidualSimVQ": ".quantizers",
}
"""The package that learns the codebooks of all but FSQ takes longer to load than torch."""
QUANTIZERS = tuple(_FILES)
"""The names of all quantizers."""


def quantizer_named(name: str) -> type[Quantizer]:
    """The quantizer of a name.

    Raises:
        ValueError: There is none.
    """
    if name not in QUANTIZERS:  # a tuple: what a config names may be no name at all
        raise ValueError(f"unknown quantizer {name!r}; known are {', '.join(QUANTIZERS)}")
    kind: type[Quantizer] = getattr(importlib.import_module(_FILES[name], __package__), name)
    return kind
