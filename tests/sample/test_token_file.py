"""Token files: round trips, growing while they are read, refused by hash, and never mistaken for what they are not."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import tiny_bundle
import torch

from framecast.sample import SamplingParams, TokenFileError, TokenHeader, TokenWriter, read_tokens
from framecast.sample.packing import pack, unpack

PARAMS = SamplingParams(temperature=1.0, decoding="row")
HEADER = TokenHeader("0123456789abcdef", "a bundle", 60, 16, 24, 4, 12.0, 5, PARAMS)
PROMPTS = [(0, "a red circle moves right"), (0.5, "a blue square moves up")]


def tokens(num_frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(60, (num_frames, 2, 3), generator=tiny.rng(seed))


def write(file: Path, num_frames: int = 5, header: TokenHeader = HEADER) -> torch.Tensor:
    """One latent frame at a time, with a prompt that changes at the third."""
    grid = tokens(num_frames)
    with TokenWriter(file, header) as writer:
        for index, frame in enumerate(grid):
            writer.append(frame[None], "one" if index < 2 else "two")
    return grid


@pytest.mark.parametrize("codebook_size", [60, 2**16, 10**6])
def test_what_is_written_is_read(tmp_path, codebook_size):
    header = replace(HEADER, codebook_size=codebook_size)
    grid = tokens(4) * ((codebook_size - 1) // 59)
    with TokenWriter(tmp_path / "a.fct", header) as writer:
        writer.append(grid[:1], "one")
        writer.append(grid[1:], "one")
    video = read_tokens(tmp_path / "a.fct")
    assert torch.equal(video.tokens, grid) and video.tokens.dtype == torch.int64
    assert (video.header, video.prompts, video.whole) == (header, ((0, "one"),), True)


def test_prompts_are_kept_by_latent_frame(tmp_path):
    write(tmp_path / "a.fct")
    video = read_tokens(tmp_path / "a.fct")
    assert video.prompts == ((0, "one"), (2, "two"))
    assert video.timeline() == [(0.0, "one"), (5 / 12, "two")]


def test_a_file_says_what_it_spends(tmp_path):
    write(tmp_path / "a.fct")
    video = read_tokens(tmp_path / "a.fct")
    assert video.num_frames == 17 and video.seconds == 17 / 12
    assert video.bits_per_pixel == pytest.approx(30 * math.log2(60) / (17 * 16 * 24))
    assert video.num_bytes == (tmp_path / "a.fct").stat().st_size


def test_an_encoded_video_has_no_seed(tmp_path):
    with TokenWriter(tmp_path / "a.fct", replace(HEADER, seed=None, params=None)) as writer:
        writer.append(tokens(2))
    video = read_tokens(tmp_path / "a.fct")
    assert (video.header.seed, video.header.params, video.prompts) == (None, None, ())


def test_a_file_is_readable_at_every_moment(tmp_path):
    """Whatever of it is on the disk: what is whole is read, what is not is left out."""
    grid = write(tmp_path / "a.fct")
    data = (tmp_path / "a.fct").read_bytes()
    lengths = []
    for end in range(len(data) + 1):
        (tmp_path / "b.fct").write_bytes(data[:end])
        try:
            video = read_tokens(tmp_path / "b.fct")
        except TokenFileError as error:
            assert "no token file" in str(error) or "ends before it says what it holds" in str(error)
            assert not lengths
            continue
        lengths.append(len(video.tokens))
        assert torch.equal(video.tokens, grid[: len(video.tokens)].view_as(video.tokens)) or not len(video.tokens)
    assert lengths == sorted(lengths) and set(lengths) == {0, 1, 2, 3, 4, 5}


def test_a_stream_writes_its_file_while_it_runs(tmp_path):
    generator = tiny_bundle.generator()
    stream = generator.stream(PROMPTS, 5, PARAMS)
    list(itertools.islice(stream, 5))
    stream.record(tmp_path / "a.fct")
    for num_frames in (2, 3, 4, 5):
        video = read_tokens(tmp_path / "a.fct").check(generator.codec.header())
        assert torch.equal(video.tokens, stream.tokens) and len(video.tokens) == num_frames
        stream.advance()
    stream.close()
    video = read_tokens(tmp_path / "a.fct")
    assert torch.equal(video.tokens, stream.tokens) and video.prompts == stream.prompts
    assert (video.header.seed, video.header.params) == (5, PARAMS)
    again = generator.stream(video.timeline(), video.header.seed, video.header.params, first_tokens=video.tokens)
    rest = generator.generate(PROMPTS, 45, 5, PARAMS).tokens
    list(itertools.islice(again, 20))
    assert torch.equal(again.tokens[:11], rest[:11])


def test_a_stream_is_recorded_once(tmp_path):
    stream = tiny_bundle.generator().stream(PROMPTS)
    stream.record(tmp_path / "a.fct")
    with pytest.raises(ValueError, match="is recorded already"):
        stream.record(tmp_path / "b.fct")
    with pytest.raises(ValueError, match=r"the folder .* does not exist"):
        tiny_bundle.generator().stream(PROMPTS).record(tmp_path / "no" / "a.fct")


def test_another_tokenizer_s_file_is_refused_with_both_names(tmp_path):
    write(tmp_path / "a.fct")
    own = replace(HEADER, tokenizer="fedcba9876543210", name="another")
    with pytest.raises(TokenFileError, match=r"of 'a bundle' \(sha256 0123456789ab\.\.\.\) for that of 'another' \(fedcba987654"):
        read_tokens(tmp_path / "a.fct").check(own)


def test_a_file_without_a_latent_frame_is_refused_where_one_is_needed(tmp_path):
    TokenWriter(tmp_path / "a.fct", HEADER).close()
    assert read_tokens(tmp_path / "a.fct").num_frames == 0
    with pytest.raises(TokenFileError, match="without a latent frame"):
        read_tokens(tmp_path / "a.fct").check(HEADER)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot read"),
        (b"", "is no token file"),
        (b"RIFF....", "is no token file"),
        (b"FRAMECAST TOKENS 1\n", "ends before"),
    ],
)
def test_what_is_no_token_file_is_refused(tmp_path, data, message):
    if data is not None:
        (tmp_path / "a.fct").write_bytes(data)
    with pytest.raises(TokenFileError, match=message):
        read_tokens(tmp_path / "a.fct")


def record(tensors: dict, values: dict) -> bytes:
    data = pack(tensors, values)
    return len(data).to_bytes(8, "little") + data


@pytest.mark.parametrize(
    "tail",
    [
        record({}, {}),
        record({"tokens": torch.zeros(1, 2, 3)}, {"prompt": "a"})[:-1] + b"x",
        record({"tokens": torch.full((1, 2, 3), 60)}, {}),
        record({"tokens": torch.full((1, 2, 3), -1)}, {}),
        record({"tokens": torch.zeros(0, 2, 3).long()}, {}),
        record({"tokens": torch.zeros(1, 2, 4).long()}, {}),
        record({"tokens": torch.zeros(2, 3).long()}, {}),
        (2**40).to_bytes(8, "little") + b"x",
    ],
)
def test_strange_records_are_refused(tmp_path, tail):
    write(tmp_path / "a.fct")
    with (tmp_path / "a.fct").open("ab") as file:
        file.write(tail)
    with pytest.raises(TokenFileError, match=r"a\.fct (is damaged at byte \d+|holds no tokens)"):
        read_tokens(tmp_path / "a.fct")


@pytest.mark.parametrize(
    "changes", [{"codebook_size": 0}, {"height": "x"}, {"fps": 0}, {"fps": None}, {"params": {"top_k": -1}}, {"extra": 1}]
)
def test_a_lying_header_is_refused(tmp_path, changes):
    write(tmp_path / "a.fct")
    data = (tmp_path / "a.fct").read_bytes()
    start = len(b"FRAMECAST TOKENS 1\n") + 8
    end = start + int.from_bytes(data[start - 8 : start], "little")
    _, values = unpack(data[start:end])
    (tmp_path / "a.fct").write_bytes(data[: start - 8] + record({}, {**values, **changes}) + data[end:])
    with pytest.raises(TokenFileError, match="holds no tokens"):
        read_tokens(tmp_path / "a.fct")


def survives(file: Path, data: bytes, seed: int) -> None:
    """A damaged file is read as far as it is whole, or refused by name."""
    rng = np.random.default_rng(seed)
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        place = int(rng.integers(len(changed)))
        match rng.integers(4):
            case 0:
                changed[place] ^= 1 << int(rng.integers(8))
            case 1:
                changed[place : place + 8] = rng.bytes(8)
            case 2:
                changed[place:place] = rng.bytes(int(rng.integers(1, 9)))
            case 3:
                del changed[place : place + int(rng.integers(1, 33))]
    file.write_bytes(changed)
    try:
        video = read_tokens(file)
    except TokenFileError:
        return
    assert not len(video.tokens) or torch.equal(video.tokens, tokens(5)[: len(video.tokens)])


def test_damaged_files(tmp_path):
    write(tmp_path / "a.fct")
    data = (tmp_path / "a.fct").read_bytes()
    for seed in range(500):
        survives(tmp_path / "b.fct", data, seed)


@pytest.mark.slow
def test_a_hundred_thousand_damaged_files(tmp_path):
    write(tmp_path / "a.fct")
    data = (tmp_path / "a.fct").read_bytes()
    for seed in range(100_000):
        survives(tmp_path / "b.fct", data, seed)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="skipped: there is no /dev/full here")
def test_a_full_disk_is_named():
    with pytest.raises(ValueError, match="cannot write /dev/full: No space left on device; check the room"):
        write(Path("/dev/full"))
