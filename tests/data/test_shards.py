"""Token shards: round trips, resuming, and damage."""

import json
import pickle

import pytest
import torch

from framecast.data import Caption, ShardWriter, TokenClip, TokenShards, write_shards

META = {"codebook_size": 1000, "tokenizer": "abc", "frame_shape": (4, 6)}


def make_clips(count: int = 10, codebook_size: int = 1000) -> list[TokenClip]:
    generator = torch.Generator().manual_seed(0)
    return [
        TokenClip(
            torch.randint(0, codebook_size, (3, 4, 6), generator=generator),
            (Caption(0, f"a dog № {index}"), *([Caption(2, "it sits")] if index % 3 == 0 else [])),
            f"clip/{index}",
        )
        for index in range(count)
    ]


def assert_same(found: TokenClip, wanted: TokenClip) -> None:
    assert found.tokens.dtype == torch.int64
    assert torch.equal(found.tokens, wanted.tokens)
    assert (found.captions, found.name) == (wanted.captions, wanted.name)


@pytest.mark.parametrize("clips_per_shard", [1, 3, 4, 5, 10, 1024])
def test_clips_come_back_as_they_went(tmp_path, clips_per_shard):
    clips = make_clips()
    write_shards(tmp_path / "tokens", clips, clips_per_shard=clips_per_shard, meta=META)
    shards = TokenShards(tmp_path / "tokens")
    assert len(shards) == 10
    assert shards.meta == {"codebook_size": 1000, "tokenizer": "abc", "frame_shape": [4, 6]}
    for index in (*range(10), 7, 0, 9):
        assert_same(shards[index], clips[index])
    assert_same(shards[-1], clips[-1])
    for index in (10, -11):
        with pytest.raises(IndexError, match="of 10 in"):
            shards[index]
    files = sorted(path.name for path in (tmp_path / "tokens").iterdir())
    assert files == ["index.json", *(f"shard-{n:05d}.safetensors" for n in range(-(-10 // clips_per_shard)))]


@pytest.mark.parametrize(("codebook_size", "bytes_each"), [(2**15, 2), (2**15 + 1, 4), (2**20, 4)])
def test_tokens_take_the_bytes_they_need(tmp_path, codebook_size, bytes_each):
    clips = make_clips(4, codebook_size)
    clips[0].tokens[0, 0, 0] = codebook_size - 1
    write_shards(tmp_path, clips, meta={"codebook_size": codebook_size})
    shards = TokenShards(tmp_path)
    assert_same(shards[0], clips[0])
    tokens = 4 * 3 * 4 * 6 * bytes_each
    assert tokens < shards.shards[0].num_bytes < tokens + 800


def test_a_dataset_travels_to_worker_processes(tmp_path):
    clips = make_clips()
    write_shards(tmp_path, clips, clips_per_shard=4, meta=META)
    shards = TokenShards(tmp_path)
    shards[0]
    assert_same(pickle.loads(pickle.dumps(shards))[5], clips[5])


# --- interruption


class Interrupted(Exception):
    pass


def interrupted(clips, after):
    yield from clips[:after]
    raise Interrupted


@pytest.mark.parametrize("after", [0, 2, 4, 5, 8, 9])
def test_an_interrupted_writing_goes_on_at_the_next_shard(tmp_path, after):
    clips = make_clips()
    with pytest.raises(Interrupted):
        write_shards(tmp_path, interrupted(clips, after), clips_per_shard=4, meta=META)
    if after >= 4:
        with pytest.raises(ValueError, match=f"unfinished: {after // 4 * 4} clips are written; run the writing again"):
            TokenShards(tmp_path)
    with ShardWriter(tmp_path, meta=META, clips_per_shard=4) as writer:
        assert writer.num_clips == after // 4 * 4
        for clip in clips[writer.num_clips :]:
            writer.add(clip)
    for found, wanted in zip(TokenShards(tmp_path), clips, strict=True):
        assert_same(found, wanted)
    write_shards(tmp_path / "whole", clips, clips_per_shard=4, meta=META)
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_complete_folder_is_left_as_it_is(tmp_path):
    write_shards(tmp_path, make_clips(), clips_per_shard=4, meta=META)
    write_shards(tmp_path, interrupted([], 0), clips_per_shard=4, meta=META)  # draws nothing
    with pytest.raises(ValueError, match="complete with 10 clips; write more into another folder"):
        ShardWriter(tmp_path, meta=META, clips_per_shard=4).add(make_clips()[0])


@pytest.mark.parametrize(
    ("meta", "clips_per_shard"), [({**META, "tokenizer": "other"}, 4), (META, 5), ({"codebook_size": 1000}, 4)]
)
def test_shards_of_another_kind_are_not_mixed(tmp_path, meta, clips_per_shard):
    write_shards(tmp_path, make_clips(), clips_per_shard=4, meta=META)
    with pytest.raises(ValueError, match=r"holds shards of 4 clips with meta .* take another folder or delete this"):
        write_shards(tmp_path, make_clips(), clips_per_shard=clips_per_shard, meta=meta)


# --- damage


def test_missing_and_damaged_shards_are_named(tmp_path):
    write_shards(tmp_path, make_clips(), clips_per_shard=4, meta=META)
    shard = tmp_path / "shard-00001.safetensors"
    content = shard.read_bytes()

    shard.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"shard-00001.safetensors is damaged: it has \d+ bytes, wanted"):
        TokenShards(tmp_path)
    shard.write_bytes(content[:-10] + bytes([content[-10] ^ 1]) + content[-9:])  # one bit, in the tokens
    shards = TokenShards(tmp_path)
    assert shards[3].name == "clip/3"  # of a whole shard
    with pytest.raises(ValueError, match=r"shard-00001.safetensors is damaged: its hash differs"):
        shards[4]
    shard.unlink()
    with pytest.raises(ValueError, match=r"shard-00001.safetensors is missing, though index.json names it"):
        TokenShards(tmp_path)
    with pytest.raises(ValueError, match=r"shard-00001.safetensors is missing"):
        ShardWriter(tmp_path, meta=META, clips_per_shard=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: "{", "index.json cannot be read"),
        (lambda index: json.dumps({**index, "format": 99}), "format is 99, wanted 1"),
        (lambda index: json.dumps({"format": 1}), "index.json cannot be read .*KeyError"),
        (lambda index: json.dumps(index).replace("shard-00000", "../shard"), "lies outside of the folder"),
    ],
)
def test_a_bad_index_is_refused(tmp_path, change, message):
    write_shards(tmp_path, make_clips(), meta=META)
    path = tmp_path / "index.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(ValueError, match=message):
        TokenShards(tmp_path)


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no token shards: index\.json is missing; write them with `write_shards`"):
        TokenShards(tmp_path)


# --- what cannot be written


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(3, 4, 6), r"tokens of 'bad' are torch.float32 \[3, 4, 6\]; wanted int64"),
        (torch.zeros(1, 3, 4, 6, dtype=torch.int64), r"\[1, 3, 4, 6\]; wanted int64 \[T, h, w\]"),
        (torch.zeros(2, 4, 6, dtype=torch.int64), r"are \[2, 4, 6\], those before \[3, 4, 6\]"),
        (torch.full((3, 4, 6), 1000), "go from 1000 to 1000; wanted 0 to 999"),
        (torch.full((3, 4, 6), -1), "go from -1 to -1; wanted 0 to 999"),
    ],
)
@pytest.mark.parametrize("clips_before", [3, 4])  # in the same shard, and in the one before
def test_bad_tokens_are_refused(tmp_path, tokens, message, clips_before):
    clips = [*make_clips(clips_before), TokenClip(tokens, (Caption(0, ""),), "bad")]
    with pytest.raises(ValueError, match=message):
        write_shards(tmp_path, clips, clips_per_shard=4, meta=META)


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="clips_per_shard is 0; wanted at least 1"):
        write_shards(tmp_path, make_clips(), clips_per_shard=0, meta=META)
    with pytest.raises(ValueError, match="meta cannot be kept as JSON"):
        write_shards(tmp_path, make_clips(), meta={"tensor": torch.zeros(1)})
    with pytest.raises(ValueError, match="no clip was given"):
        write_shards(tmp_path, [], meta=META)
