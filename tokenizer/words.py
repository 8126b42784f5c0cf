"""Words of captions and prompts, to tell what a text model was trained on."""

import re

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts without spaces
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’-][^\W{_UNSPACED}]+)*|[^\w\s]")


def words_of(text: str) -> list[str]:
    """The words and signs of a text, each once, in their order; a character each if a script has no spaces.

    "a red circle moves, then stops" -> a, red, circle, moves, the comma, then, stops.
    """
    return list(dict.fromkeys(_WORD.findall(text)))
