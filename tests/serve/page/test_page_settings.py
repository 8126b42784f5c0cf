"""The page begins with the settings that the library begins with."""

import re
from html.parser import HTMLParser

import pytest

from framecast.sample import SamplingParams
from framecast.serve.server.app import PAGE

HTML = (PAGE / "index.html").read_text(encoding="utf-8")
SCRIPT = (PAGE / "settings.js").read_text(encoding="utf-8")


class Fields(HTMLParser):
    """What the fields of a page hold when nobody has touched them, by their names; an empty field is `None`."""

    def __init__(self, html: str):
        super().__init__()
        self.values: dict[str, str | None] = {}
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "input" and name:
            self.values[name] = given.get("value") or None
        if tag == "select":
            self._select = name
        if tag == "option" and "selected" in given:
            self.values[self._select] = given["value"]


def defaults(html: str, script: str) -> dict[str, object]:
    """The settings of the message that an untouched page starts a video with."""
    message = re.search(r"const settings = \{\n(.*?)\n    \};", script, re.DOTALL)
    assert message, "settings.js makes its settings in another way than this test knows"
    sources = dict(re.findall(r"^ +(\w+): (?:Number\()?(\w+)\.value", message[1], re.MULTILINE))
    held = Fields(html).values
    return {setting: held[field] for setting, field in sources.items()}


def test_untouched_settings_are_those_of_the_library():
    read = {
        name: value if name == "decoding" or value is None else float(value) for name, value in defaults(HTML, SCRIPT).items()
    }
    assert read == SamplingParams().values()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('step="0.05" value="0.9"', 'step="0.05" value="1"'),
        ('step="0.1" value="2"', 'step="0.1" value="3"'),
        ('name="top_k" type="number"', 'name="top_k" value="20" type="number"'),
        ('<option value="row" selected>', '<option value="row">'),
        ('<option value="frame">', '<option value="frame" selected>'),
    ],
)
def test_control_another_default_is_seen(old, new):
    assert HTML.count(old) == 1
    before = defaults(HTML, SCRIPT)
    try:
        assert defaults(HTML.replace(old, new), SCRIPT) != before
    except KeyError:
        pass  # a choice without a default
