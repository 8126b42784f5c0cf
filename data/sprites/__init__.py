"""The sprite world: clips of small objects that move, of which everything is known, and the language of their captions."""

from .captions import (
    CAPTION_WORDS,
    SIZES,
    ObjectDescription,
    camera_pan,
    caption_scene,
    describe,
    describe_at,
    parse_caption,
    resolve_it,
)
from .combinations import has_combinations, is_held_out
from .drawing import MOTION_SHARES, PAN_SPEED
from .motions import (
    BOUNCES,
    FADES_IN,
    FADES_OUT,
    FALLS,
    GRAVITY,
    LINEAR,
    MOTIONS,
    PASSES,
    RESTITUTION,
    STANDS,
    STOPS,
    floor_level,
    trajectory,
)
from .painting import Gradient, render
from .scenes import Scene, SpriteObject
from .shapes import COLOURS, DIGITS, PLAIN, SHAPES, Pen, outline
from .world import SpriteWorld

__all__ = [
    "BOUNCES",
    "CAPTION_WORDS",
    "COLOURS",
    "DIGITS",
    "FADES_IN",
    "FADES_OUT",
    "FALLS",
    "GRAVITY",
    "Gradient",
    "LINEAR",
    "MOTIONS",
    "MOTION_SHARES",
    "ObjectDescription",
    "PAN_SPEED",
    "PASSES",
    "PLAIN",
    "Pen",
    "RESTITUTION",
    "SHAPES",
    "SIZES",
    "STANDS",
    "STOPS",
    "Scene",
    "SpriteObject",
    "SpriteWorld",
    "camera_pan",
    "caption_scene",
    "describe",
    "describe_at",
    "floor_level",
    "has_combinations",
    "is_held_out",
    "outline",
    "parse_caption",
    "render",
    "resolve_it",
    "trajectory",
]
