"""The fixed language of the sprite world: captions from scenes, and scenes' objects back from captions."""

import re
from dataclasses import dataclass, replace

from ..clips import Caption
from .motions import LINEAR, MOTIONS, STOPS
from .scenes import Scene, SpriteObject
from .shapes import COLOURS, SHAPES

SIZES: tuple[str, ...] = ("small", "large")
NEXT_MOTIONS: tuple[str, ...] = (STOPS, *LINEAR)
"""What may follow a linear motion."""
LIGHT_FADES = ", and the light fades"
CAMERA_PANS = {-1: ", and the camera pans left", 1: ", and the camera pans right"}
_PHRASES = (*SIZES, *COLOURS, *SHAPES, *MOTIONS, STOPS, "a", "an", "then", LIGHT_FADES, *CAMERA_PANS.values())
CAPTION_WORDS: tuple[str, ...] = tuple(sorted(set(" ".join(_PHRASES).replace(",", "").split())))
"""Every word that a caption can hold, commas aside."""


@dataclass(frozen=True)
class ObjectDescription:
    """What a caption says about one object."""

    shape: str
    """One of `SHAPES`."""
    colour: str
    """One of `COLOURS`."""
    size: str | None
    """One of `SIZES`, or None if the caption does not say."""
    motion: str
    """One of `MOTIONS`, or "stops"."""
    then: str | None = None
    """One of `NEXT_MOTIONS`, if the caption says what follows."""


def describe(item: SpriteObject) -> ObjectDescription:
    """All that a caption says about an object over the whole clip."""
    size = item.size if item.names_size else None
    return ObjectDescription(item.shape, item.colour, size, item.motion, item.then)


def describe_at(item: SpriteObject, frame: int) -> ObjectDescription:
    """What a caption of a timeline says about an object from `frame` on."""
    size = item.size if item.names_size else None
    motion = item.then if item.then and item.switch is not None and frame >= item.switch else item.motion
    return ObjectDescription(item.shape, item.colour, size, motion)


def caption_scene(scene: Scene) -> tuple[Caption, ...]:
    """The captions of a scene: one for the clip, or one from each frame on at which a motion changes.

    "a large red circle moves right, then stops, and a small blue ring bounces"
    """
    if not scene.timeline:
        return (Caption(0, _compose(scene, [describe(item) for item in scene.objects])),)
    starts = sorted({0} | {item.switch for item in scene.objects if item.switch is not None})
    return tuple(Caption(at, _compose(scene, [describe_at(item, at) for item in scene.objects])) for at in starts)


def parse_caption(text: str) -> list[ObjectDescription]:
    """Reads a caption of this language back, the inverse of `caption_scene`.

    Returns:
        The objects in the caption's order. What it says of light and camera is checked and left out.

    Raises:
        ValueError: If the text is not a caption of this language.
    """
    return [_parse_object(part, text) for part in _SUFFIX.sub("", text).split(", and ")]


def camera_pan(text: str) -> int:
    """Where the camera pans in a caption: -1 to the left, 1 to the right, 0 if it does not."""
    return next((direction for direction, suffix in CAMERA_PANS.items() if text.endswith(suffix)), 0)


def phrase(description: ObjectDescription) -> str:
    """An object's part of a caption, such as "an orange star moves up, then stops"."""
    looks = f"{description.size or ''} {description.colour} {description.shape}".strip()
    then = f", then {description.then}" if description.then else ""
    return f"{'an' if looks[0] in 'aeiou' else 'a'} {looks} {description.motion}{then}"


def resolve_it(text: str, before: str) -> str:
    """A prompt that says "it" with the object of the prompt before in its place: "it stops" becomes "a red circle stops".

    Case, spaces and a full stop do not matter. A prompt that was no caption of this language, or did not begin with "it", is
    left as it is.

    Raises:
        ValueError: The prompt before speaks of two objects.
    """
    if not text.lower().startswith("it "):
        return text
    try:
        objects = parse_caption(_plain(before))
    except ValueError:
        return text
    if len(objects) > 1:
        raise ValueError(
            f'got the prompt "{text}" after "{before}", which has {len(objects)} objects; wanted to know which one is meant; '
            "write the whole prompt again"
        )
    looks = phrase(replace(objects[0], motion="", then=None)).strip()
    return f"{looks} {text[3:].strip()}"


def _plain(text: str) -> str:
    """A caption as this language writes it: lower case, single spaces, no full stop, "an" before a vowel."""
    words = " ".join(text.lower().split()).rstrip(" .!").replace(" ,", ",")
    return re.sub(r"\ban? (?=([aeiou])?)", lambda article: "an " if article[1] else "a ", words)


def _compose(scene: Scene, descriptions: list[ObjectDescription]) -> str:
    light = LIGHT_FADES if scene.light[-1] < 1 else ""
    camera = CAMERA_PANS.get(int(scene.camera[-1, 0] > 0) - int(scene.camera[-1, 0] < 0), "")
    return ", and ".join(phrase(description) for description in descriptions) + light + camera


def _either(words) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_SUFFIX = re.compile(f"(?:{_either([LIGHT_FADES, *CAMERA_PANS.values()])})$")
_OBJECT = re.compile(
    f"an? (?:(?P<size>{_either(SIZES)}) )?(?P<colour>{_either(COLOURS)}) (?P<shape>{_either(SHAPES)}) "
    f"(?P<motion>{_either((*MOTIONS, STOPS))})(?:, then (?P<then>{_either(NEXT_MOTIONS)}))?"
)


def _parse_object(part: str, text: str) -> ObjectDescription:
    match = _OBJECT.fullmatch(part)
    description = ObjectDescription(**match.groupdict()) if match else None
    if description is None or phrase(description) != part:
        raise ValueError(
            f'got the caption "{text}"; wanted one such as "a large red circle moves right, then stops, and a small '
            f'blue ring bounces"; "{part}" is no object of the sprite world; use its words (`CAPTION_WORDS`)'
        )
    return description
