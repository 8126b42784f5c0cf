"""Captions for the videos of a folder: by rules that measure, by a model, mended by hand, and checked."""

from .captioners import ByFunction, ByPictures, ByRules, Captioner, CaptionerError, captioner_of
from .checking import Finding, check_captions
from .folder import Captioned, caption_folder, videos_of
from .lines import HAND, MODEL, RULES, CaptionFile, Line
from .picture_model import PictureModel
from .rules import Rule
from .watching import Shot, small_size, watch

__all__ = [
    "ByFunction",
    "ByPictures",
    "ByRules",
    "Captioned",
    "Captioner",
    "CaptionerError",
    "CaptionFile",
    "Finding",
    "HAND",
    "Line",
    "MODEL",
    "PictureModel",
    "RULES",
    "Rule",
    "Shot",
    "caption_folder",
    "captioner_of",
    "check_captions",
    "small_size",
    "videos_of",
    "watch",
]
