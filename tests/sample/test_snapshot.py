"""Snapshots, branches and prompts that change: a stream goes on token for token, and nothing else is taken for a snapshot."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tiny
import tiny_bundle
import torch

from framecast.sample import SamplingParams, SnapshotError, Stream, VideoGenerator
from framecast.sample.packing import PackingError, fingerprint, pack, unpack
from framecast.sample.stepper import Stepper
from framecast.state import named_tensors

REPO = Path(__file__).resolve().parents[2]
PROMPT, OTHER = "a red circle moves right", "a blue square moves up"
CHANGING = [(0, PROMPT), (0.5, OTHER), (1.5, "a ring falls")]
PARAMS = SamplingParams(temperature=1.0, guidance_scale=2.0, decoding="row")
PLAIN = replace(PARAMS, guidance_scale=1.0)


def stream(prompt=CHANGING, seed: int = 3, params: SamplingParams = PARAMS) -> Stream:
    return tiny_bundle.generator().stream(prompt, seed, params)


def take(running: Stream, num_frames: int) -> list[tuple]:
    """What the next frames are, as values that can be compared."""
    frames = islice(running, num_frames)
    return [(frame.index, frame.latent_index, frame.prompt, frame.image.numpy().tobytes()) for frame in frames]


@pytest.fixture(scope="module")
def saved() -> bytes:
    running = stream()
    take(running, 7)
    return running.snapshot()


# --- going on


@pytest.mark.parametrize("num_frames", [0, 1, 2, 5, 7, 33])  # before the first, between and inside latent frames, past the window
@pytest.mark.parametrize("params", [PARAMS, PLAIN, replace(PARAMS, decoding="frame")])
def test_a_restored_stream_goes_on_frame_for_frame(num_frames, params):
    running = stream(params=params)
    take(running, num_frames)
    again = tiny_bundle.generator().restore(running.snapshot())
    assert take(running, 30) == take(again, 30)
    assert torch.equal(running.tokens, again.tokens) and running.prompts == again.prompts


def test_a_snapshot_of_a_restored_stream_is_the_same(saved):
    assert tiny_bundle.generator().restore(saved).snapshot() == saved


def test_a_snapshot_keeps_what_was_changed_on_the_way():
    running = stream()
    take(running, 6)
    running.set_prompt("a ring falls")
    running.params = replace(PARAMS, guidance_scale=1.0, temperature=0.5)
    again = tiny_bundle.generator().restore(running.snapshot())
    assert again.params == running.params and again.prompt == "a ring falls"
    running.params = again.params = PARAMS  # the null prompt's memory is there too
    assert take(running, 20) == take(again, 20)


def test_another_process_goes_on_with_the_same_tokens(tmp_path):
    bundle = tiny_bundle.save(tmp_path / "bundle")
    generator = __import__("framecast").load_generator(bundle)
    running = generator.stream(CHANGING, 3, PARAMS)
    take(running, 7)
    (tmp_path / "stream").write_bytes(running.snapshot())
    code = (
        "import sys, hashlib, framecast; from itertools import islice\n"
        "stream = framecast.load_generator(sys.argv[1]).restore(open(sys.argv[2], 'rb').read())\n"
        "list(islice(stream, 40)); print(hashlib.sha256(stream.tokens.numpy().tobytes()).hexdigest())"
    )
    arguments = [sys.executable, "-c", code, str(bundle), str(tmp_path / "stream")]
    result = subprocess.run(arguments, cwd=REPO, env=os.environ, capture_output=True, text=True, check=True)
    take(running, 40)
    assert result.stdout.strip() == hashlib.sha256(running.tokens.numpy().tobytes()).hexdigest()


def test_branches_share_the_past_and_part_by_seed():
    running = stream()
    take(running, 6)
    same, other = running.branch([3, 4])
    past, rest = running.tokens, take(running, 25)
    assert take(same, 25) == rest
    take(other, 25)
    assert torch.equal(other.tokens[: len(past)], past) and not torch.equal(other.tokens, running.tokens)
    assert other.prompts == running.prompts


def test_a_branch_does_not_touch_its_trunk():
    running, alone = stream(), stream()
    take(running, 6), take(alone, 6)
    (branch,) = running.branch([9])
    branch.set_prompt("a ring falls")
    take(branch, 40)
    assert take(running, 25) == take(alone, 25)


# --- prompts that change


def test_a_timeline_is_prompts_set_in_time():
    planned, steered = stream(), stream(PROMPT)
    frames = take(planned, 40)
    taken = take(steered, 5)
    assert steered.set_prompt(OTHER) == 5  # 0.5 s is frame 6, which is in the second latent frame after the first
    taken += take(steered, 12)
    assert steered.set_prompt("a ring falls") == 17
    taken += take(steered, 23)
    assert taken == frames
    assert planned.prompts == steered.prompts == ((0, PROMPT), (2, OTHER), (5, "a ring falls"))


def test_setting_a_prompt_drops_the_rest_of_the_timeline():
    running = stream()
    take(running, 5)
    running.set_prompt("a blue square stops")
    assert {frame[2] for frame in take(running, 60)} == {"a blue square stops"}


def test_later_prompts_are_checked_before_anything_is_made():
    with pytest.raises(ValueError, match=r"got a prompt of \d+ text tokens .*; wanted at most 24"):
        stream([(0, PROMPT), (9, "a red circle moves right " * 20)])


def test_first_tokens_are_seen_under_the_prompts_of_their_time():
    running = stream()
    take(running, 33)
    rest = tiny_bundle.generator().stream(CHANGING, 3, PARAMS, first_tokens=running.tokens)
    assert rest.prompts == running.prompts
    following = take(running, 20)
    again = take(rest, 20)
    assert [frame[:3] for frame in again] == [frame[:3] for frame in following]
    assert torch.equal(rest.tokens, running.tokens)


@pytest.mark.parametrize("shape", [(2, 3), (0, 2, 3), (1, 3, 2)])
def test_first_tokens_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="got first tokens of shape"):
        tiny_bundle.generator().stream(PROMPT, first_tokens=torch.zeros(shape, dtype=torch.int64))


def test_first_frames_and_first_tokens_exclude_each_other():
    with pytest.raises(ValueError, match="wanted one of them"):
        tiny_bundle.generator().stream(PROMPT, first_frames=tiny_bundle.frames(1), first_tokens=torch.zeros(1, 2, 3).long())


def test_settings_change_from_the_next_latent_frame_on():
    running, other = stream(PROMPT), stream(PROMPT)
    take(running, 9), take(other, 9)
    running.params = replace(PARAMS, temperature=0.0, guidance_scale=5.0, decoding="token")
    take(running, 20), take(other, 20)
    assert torch.equal(running.tokens[:3], other.tokens[:3]) and not torch.equal(running.tokens, other.tokens)


def test_a_guidance_of_one_half_way_hears_the_prompt_alone():
    """With the doubled batch of a guided stream it gives what a plain stream gives."""
    guided = stream(PROMPT)
    guided.params = PLAIN
    plain = stream(PROMPT, params=PLAIN)
    assert take(guided, 30) == take(plain, 30)


def test_guidance_cannot_begin_half_way():
    plain = stream(params=PLAIN)
    with pytest.raises(ValueError, match="got guidance_scale 2 for a stream that began without guidance"):
        plain.params = PARAMS
    with pytest.raises(ValueError, match="got block_length 4"):
        plain.params = replace(PLAIN, decoding=4)
    assert plain.params == PLAIN


# --- renewing the sink


def test_a_renewed_sink_is_the_picture_as_a_video_would_begin_with_it():
    """Reference: the same window, and the keys and values of a stream whose first latent frame is that picture."""
    generator = tiny_bundle.generator()
    state = generator.stepper.init_state(PROMPT, 3, PARAMS, reanchor_every=100)
    pictures = [generator.stepper.step(state).frames[-1] for _ in range(9)]
    window = generator.lm.config.context_frames
    before = state.clone()
    generator.stepper.renew_sink(state)
    first = generator.stream(PROMPT, 3, PARAMS, first_frames=pictures[-window][None]).state
    frame = generator.lm.frame_length
    for own, old, fresh in zip(state.lm.layers, before.lm.layers, first.lm.layers, strict=True):
        assert torch.equal(own.sink_keys, fresh.sink_keys) and not torch.equal(own.sink_keys, old.sink_keys)
        assert torch.equal(own.values[:, :, frame : 2 * frame], fresh.values[:, :, frame : 2 * frame])
        assert torch.equal(own.keys[:, :, 2 * frame :], old.keys[:, :, 2 * frame :])  # the window stays
        assert not torch.equal(own.keys[:, :, frame : 2 * frame], old.keys[:, :, frame : 2 * frame])


def test_a_sink_is_renewed_on_time_and_not_before_the_window_rolls(monkeypatch):
    generator, due = tiny_bundle.generator(), []
    renew = Stepper.renew_sink
    monkeypatch.setattr(Stepper, "renew_sink", lambda self, state: due.append(state.latent_index) or renew(self, state))
    take(generator.stream(PROMPT, 3, PARAMS, reanchor_every=2), 45)
    assert due == [4, 6, 8, 10, 12]
    due.clear()
    take(generator.stream(PROMPT, 3, PARAMS), 45)
    assert due == []


def test_a_stream_that_renews_its_sink_is_restored_with_all_it_needs():
    running = tiny_bundle.generator().stream(CHANGING, 3, PARAMS, reanchor_every=3)
    take(running, 19)
    again = tiny_bundle.generator().restore(running.snapshot())
    assert take(running, 40) == take(again, 40)


def test_a_sink_that_is_not_there_cannot_be_renewed():
    with pytest.raises(ValueError, match="got reanchor_every 0 for a model with 1 sink frames"):
        tiny_bundle.generator().stream(PROMPT, reanchor_every=0)
    with pytest.raises(ValueError, match="for a model with 0 sink frames"):
        tiny_bundle.generator(sink_frames=0).stream(PROMPT, reanchor_every=4)


# --- formats


def numbered(snapshot: bytes, state) -> bytes:
    """The snapshot as it was in format 1: tensors of the state by number."""
    tensors, values = unpack(snapshot)
    old = {f"state.{place:05}": tensors.pop(f"state.{name}") for place, name in enumerate(named_tensors(state))}
    pending = values.pop("pending")
    return pack({**tensors, **old}, {**values, "format": 1, "ready": pending})


@pytest.mark.parametrize("every", [None, 3])
def test_a_snapshot_of_format_1_is_restored(every):
    running = tiny_bundle.generator().stream(CHANGING, 3, PARAMS, reanchor_every=every)
    take(running, 19)
    again = tiny_bundle.generator().restore(numbered(running.snapshot(), running.state))
    assert take(running, 40) == take(again, 40)


def test_tensors_of_a_snapshot_have_the_names_of_their_places():
    running = stream()
    take(running, 6)
    tensors, values = unpack(running.snapshot())
    assert values["format"] == 2
    state = running.state
    assert torch.equal(tensors["state.lm.layers.0.keys"], state.lm.layers[0].keys)
    assert torch.equal(tensors["state.prompts.mask"], state.prompts.mask)
    assert {name.removeprefix("state.") for name in tensors} - {"tokens", "images"} == set(named_tensors(state))


def test_a_state_whose_fields_have_changed_places_reads_each_into_its_own(saved):
    """By number, keys would have been read as values, which have their shape."""
    tensors, values = unpack(saved)
    keys, swapped = "state.lm.layers.0.keys", "state.lm.layers.0.values"
    expected = tiny_bundle.generator().restore(saved)
    again = tiny_bundle.generator().restore(pack(dict(reversed(tensors.items())), values))
    assert torch.equal(again.state.lm.layers[0].keys, expected.state.lm.layers[0].keys)
    wrong = tiny_bundle.generator().restore(pack({**tensors, keys: tensors[swapped], swapped: tensors[keys]}, values))
    assert take(expected, 20) == take(again, 20) != take(wrong, 20)  # the last is the control


# --- what is no snapshot


def test_a_snapshot_of_other_networks_is_refused(saved):
    parts = (tiny_bundle.tokenizer(), tiny.randomise(tiny_bundle.lm(num_layers=2, width=32), 5), tiny_bundle.text_tokenizer())
    other = VideoGenerator(*parts, 16, 24, 12.0)
    with pytest.raises(SnapshotError, match=r"was made by another lm \(sha256 \w{12}\.\.\.\) than this generator's"):
        other.restore(saved)


def test_a_fingerprint_is_of_every_bit():
    lm = tiny_bundle.lm(num_layers=2, width=16)
    before = fingerprint(lm)
    assert before == fingerprint(lm)
    with torch.no_grad():
        lm.places.weight[0, 0] = torch.nextafter(lm.places.weight[0, 0], torch.tensor(9.0))
    assert fingerprint(lm) != before


def fuzz(data: bytes, seed: int) -> bytes:
    """A snapshot with some bytes changed, cut off, doubled or put in."""
    rng = np.random.default_rng(seed)
    changed = bytearray(data)
    place = int(rng.integers(len(changed))) if rng.random() < 0.6 else int(rng.integers(min(len(changed), 600)))
    match rng.integers(5):
        case 0:
            changed[place] ^= 1 << int(rng.integers(8))
        case 1:
            del changed[place:]
        case 2:
            changed[place:place] = rng.bytes(int(rng.integers(1, 9)))
        case 3:
            changed[place : place + 8] = rng.bytes(8)
        case 4:
            del changed[place : place + int(rng.integers(1, 65))]
    return bytes(changed)


def refuses(data: bytes) -> None:
    with pytest.raises(SnapshotError, match="got "):
        tiny_bundle.generator().restore(data)


def test_a_damaged_snapshot_is_refused(saved):
    for seed in range(500):
        changed = fuzz(saved, seed)
        if changed != saved:
            refuses(changed)
    for data in (b"", b"{}", saved[:8], b"\xff" * 64):
        refuses(data)


@pytest.mark.slow
def test_a_hundred_thousand_damaged_snapshots_are_refused(saved):
    for seed in range(100_000):
        changed = fuzz(saved, seed)
        if changed != saved:
            refuses(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"latent_index": -1},
        {"latent_index": 10**30},
        {"latent_index": "x"},
        {"seed": None},
        {"seed": "x"},
        {"params": {"temperature": "x"}},
        {"params": {"os": "system"}},
        {"params": None},
        {"prompt": ""},
        {"upcoming": [[-1, "a"]]},
        {"upcoming": 5},
        {"pending": [[0, 0, "a"]] * 9},
        {"prompts": [3]},
        {"guided": False},
        {"format": 1},
        {"format": 3},
        {"hashes": None},
    ],
)
def test_a_lying_snapshot_is_refused(saved, changes):
    """One whose checksum is right, as only a person can make it."""
    tensors, values = unpack(saved)
    refuses(pack(tensors, {**values, **changes}))


def test_a_snapshot_with_other_tensors_is_refused(saved):
    tensors, values = unpack(saved)
    first = next(name for name in tensors if name.startswith("state."))
    refuses(pack({**tensors, first: tensors[first][..., :-1]}, values))
    refuses(pack({name: value for name, value in tensors.items() if name != first}, values))
    refuses(pack({**tensors, "state.99999": torch.zeros(3)}, values))
    refuses(pack({name: value for name, value in tensors.items() if name != "tokens"}, values))
    refuses(pack({**tensors, "tokens": tensors["tokens"] + 1000}, values))


def test_packing_is_undone_by_unpacking():
    tensors = {"a": torch.arange(6).view(2, 3), "b": torch.zeros(0), "c": torch.tensor(1.5).bfloat16()}
    arrays, values = unpack(pack(tensors, {"x": [1, "two", None]}))
    assert values == {"x": [1, "two", None]}
    assert all(torch.equal(arrays[name], tensors[name]) and arrays[name].dtype == tensors[name].dtype for name in tensors)


def test_a_checksum_is_of_values_too():
    data = pack({"a": torch.zeros(2)}, {"seed": 1})
    changed = data.replace(b"seed", b"sead")
    assert changed != data
    with pytest.raises(PackingError, match="checksum is wrong"):
        unpack(changed)
