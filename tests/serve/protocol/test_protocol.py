"""The messages and the header of frames."""

import dataclasses
import json
import random
import re
from itertools import takewhile
from pathlib import Path

import jsonschema
import pytest

from framecast.sample import SamplingParams
from framecast.serve import ServeError
from framecast.serve.protocol import messages as p
from framecast.serve.protocol.errors import CODES
from framecast.serve.protocol.packets import Echo, Kind, Packet
from framecast.serve.protocol.script import Script, Settings, settings_of
from framecast.serve.server.session import STATES

START = {"type": "start", "prompt": "a red circle"}


@pytest.mark.parametrize("kind", list(Kind))
def test_packet_round_trip(kind):
    packet = Packet(kind, 2**32 - 1, 77, 2**40, b"pixels")
    assert Packet.unpack(packet.pack()) == packet
    assert len(packet.pack()) == 20 + len(b"pixels")


def test_packet_says_which_control_it_follows():
    packet = Packet(Kind.WEBP, 5, 5, 7, b"pixels", Echo(2**53 - 1, 123456.7))
    data = packet.pack()
    assert Packet.unpack(data) == packet
    assert len(data) == 36 + len(b"pixels") and data[3] == 128 + Kind.WEBP
    with pytest.raises(ServeError, match="got 30 bytes that are no frame"):
        Packet.unpack(data[:30])


@pytest.mark.parametrize("data", [b"", b"FC", b"XX\1\1" + bytes(16), b"FC\2\1" + bytes(16), b"FC\1\x09" + bytes(16)])
def test_other_bytes_are_no_packet(data):
    with pytest.raises(ServeError, match=r"got \d+ bytes that are no frame of version 1") as caught:
        Packet.unpack(data)
    assert caught.value.code == "bad_message"


def test_settings_are_those_of_the_library():
    assert set(Settings.model_fields) == {field.name for field in dataclasses.fields(SamplingParams)}
    assert Settings().params() == SamplingParams()
    params = SamplingParams(temperature=0, top_k=3, top_p=0.5, guidance_scale=1, decoding=2)
    assert settings_of(params).params() == params


def test_minimal_start_is_taken():
    start = p.parse_request(json.dumps(START))
    assert (start.pace, start.format, start.seed, start.prompts(100)) == ("video", "png", 0, "a red circle")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", "bad_json", "not JSON"),
        ("[" * 100_000, "bad_json", "not JSON"),
        ('{"type": "credit", "frames": NaN}', "bad_json", "not JSON"),
        ("[]", "bad_message", "its type"),
        ("{}", "bad_message", "type"),
        ('{"type": "dance"}', "bad_message", "dance"),
        ('{"type": "start", "prompt": 5}', "bad_message", "prompt"),
        ('{"type": "start", "prompt": "x", "sead": 1}', "bad_message", "sead"),
        ('{"type": "start", "prompt": "x", "seed": -1}', "bad_message", "seed"),
        ('{"type": "start", "prompt": "x", "seed": 1e400}', "bad_message", "seed"),
        ('{"type": "start", "prompt": "x", "seed": true}', "bad_message", "seed"),
        ('{"type": "start", "prompt": "x", "settings": {"temperature": "hot"}}', "bad_message", "temperature"),
        ('{"type": "start", "prompt": "x", "settings": {"temperature": 1e999}}', "bad_message", "temperature"),
        ('{"type": "branch", "seeds": []}', "bad_message", "seeds"),
        ('{"type": "credit", "frames": 0}', "bad_message", "frames"),
    ],
)
def test_bad_message_is_said(text, code, words):
    with pytest.raises(ServeError, match=words) as caught:
        p.parse_request(text)
    assert caught.value.code == code


def test_prompt_or_timeline_but_not_both():
    both = p.parse_request(json.dumps(START | {"timeline": [[0, "a ring"]]}))
    for scene in (both, Script()):
        with pytest.raises(ServeError, match="neither or both of prompt and timeline"):
            scene.prompts(100)
    with pytest.raises(ServeError, match="got a prompt of 12 letters; wanted at most 5; say it shorter"):
        Script(prompt="a red circle").prompts(5)


def test_setting_out_of_range_is_said():
    with pytest.raises(ServeError, match=r"got temperature -1.*wanted") as caught:
        Settings(temperature=-1).params()
    assert caught.value.code == "bad_settings"


def test_schema_says_what_is_taken():
    schema = p.json_schema()
    jsonschema.validate(START, schema["client"])
    jsonschema.validate(json.loads(p.Prompted(frame=1, prompt="x").model_dump_json()), schema["server"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(START | {"seed": -1}, schema["client"])


def test_every_message_has_a_state_that_takes_it():
    kinds = set(p.json_schema()["client"]["discriminator"]["mapping"])
    assert set().union(*STATES.values()) == kinds


def rows(title: str) -> list[list[str]]:
    """The cells of the table of docs/serving.md whose first column has this title."""
    lines = (Path(__file__).parents[3] / "docs/serving.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {title} |"))
    table = list(takewhile(lambda line: line.startswith("|"), lines[start + 2 :]))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_docs_say_the_same():
    assert {state: set(re.findall(r"`(\w+)`", names)) for state, names in rows("state")} == STATES
    assert {code.strip("`"): (int(status), meaning) for code, status, meaning in rows("code")} == CODES
    assert {row[0].strip("`") for row in rows("the client sends")} == set().union(*STATES.values())


SEEDS = (
    {"type": "start", "prompt": "a red circle; at 2s it stops", "seed": 3, "settings": {"temperature": 0.5, "decoding": "token"}},
    {"type": "start", "timeline": [[0, "a ring"], [1.5, "a star"]], "first_frames": ["aGk="], "format": "h264", "credits": 3},
    {"type": "branch", "seeds": [1, 2], "id": 4},
    {"type": "branch", "seeds": [1], "actions": [{"buttons": ["left"]}, {"axes": {"gas": 0.5}}, {"buttons": None}]},
    {"type": "recover", "session": "abc", "frame": 9, "pace": "fast"},
    {"type": "recover", "session": "abc", "frame": 9, "held": [{"frame": 5, "buttons": ["left"]}, {"frame": 7, "buttons": None}]},
    {"type": "control", "id": 17, "buttons": ["left"], "axes": {"steering": 0.2}, "clock": 123456.7},
)
MUTATIONS = 50_000
PIECES = ("NaN", "1e999", "-1", "null", "[]", "{}", '"', "\\u0000", "\\ud800", "[" * 50, "9" * 50, "true", '"type"', ",", ":")


def mutated(rng: random.Random) -> str:
    """A message with a few changes: letters lost, doubled or swapped, and pieces that parsers dislike."""
    text = json.dumps(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.choices(range(len(text) + 1), k=2))
        end = min(end, start + 8)
        text = text[:start] + rng.choice(("", text[start:end] * 2, rng.choice(PIECES), chr(rng.randrange(1, 0x500)))) + text[end:]
    return text


def test_changed_messages_are_read_or_refused():
    """R2."""
    rng, taken = random.Random(0), 0
    for _ in range(MUTATIONS):
        try:
            message = p.parse_request(mutated(rng))
            if isinstance(message, p.Start):
                message.settings.params()
                message.prompts(500)
            taken += 1
        except ServeError:
            continue
    assert 0 < taken < MUTATIONS


def test_changed_packets_are_read_or_refused():
    rng, taken = random.Random(0), 0
    for _ in range(MUTATIONS):
        data = bytearray(Packet(Kind.PNG, 5, 2, 7, b"pixels").pack())
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            taken += Packet.unpack(bytes(data[: rng.randint(0, 40)])).payload is not None
        except ServeError:
            continue
    assert 0 < taken < MUTATIONS
