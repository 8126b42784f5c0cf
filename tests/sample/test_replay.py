"""Replay: tokens depend on bundle, prompts, actions, settings and seed alone (law 4; W4 of the targets)."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_bundle
import tiny_world
import torch
from tiny_world import PROMPT

from framecast.sample import SamplingParams, Stream, StreamBatch, TokenFileError, TokenWriter, VideoGenerator, read_tokens
from framecast.sample.past import Recipe

PARAMS = SamplingParams(guidance_scale=2.0, temperature=1.0)
LENGTH = 7  # latent frames


def stream(**given: object) -> Stream:
    return tiny_world.generator().stream(PROMPT, 3, **{"params": PARAMS, "actions": "left*4 gas=0.5*3 right*9", **given})


def saved(running: Stream, file: Path, length: int = LENGTH) -> Path:
    """The file of a stream once it has so many latent frames."""
    running.record(file)
    while running.num_latent_frames < length:
        running.advance()
    running.close()
    return file


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    return saved(stream(), tmp_path_factory.mktemp("replay") / "a.fct")


def changed(file: Path, to: Path, **changes: object) -> Path:
    """The same file, but for what it says."""
    video = read_tokens(file)
    header = replace(video.header, **{name: value for name, value in changes.items() if name in vars(video.header)})
    past = replace(video.past, **{name: value for name, value in changes.items() if name in vars(video.past)})
    with TokenWriter(to, header) as writer:
        writer.append_past(past)
    return to


def test_a_video_is_made_again_token_for_token(file):
    done = []
    replay = tiny_world.generator().replay(file, progress=lambda frames, total: done.append((frames, total)))
    assert replay.same and (replay.made, replay.given) == (LENGTH, 0)
    assert str(replay) == "every token is the same in all 7 latent frames that were made again"
    assert done[-1] == (13, 13)


def test_what_is_left_of_a_file_is_made_again(tmp_path, file):
    (cut := tmp_path / "cut.fct").write_bytes(file.read_bytes()[:-9])
    replay = tiny_world.generator().replay(cut)
    assert replay.same and not replay.whole and replay.made < LENGTH
    assert str(replay).endswith("again; the end of the file is cut off, or still being written")


def test_all_that_changed_on_the_way_is_kept(tmp_path):
    running = stream(reanchor_every=2, actions=None)
    running.record(tmp_path / "a.fct")
    for index in range(9):
        if index == 2:
            running.set_prompt("a ring falls"), running.act("left")
        if index == 4:
            running.params = replace(PARAMS, decoding="frame", guidance_scale=1.0)
        if index == 6:
            running.params = replace(PARAMS, negative_prompt="a blue square moves up")
        running.advance()
    running.close()
    assert tiny_world.generator().replay(tmp_path / "a.fct").same


def test_what_was_given_is_read(tmp_path, file):
    video = read_tokens(file)
    running = stream(
        first_tokens=video.tokens[:4], first_actions=video.actions[:4], actions="right", params={"decoding": "frame"}
    )
    replay = tiny_world.generator().replay(saved(running, tmp_path / "b.fct"))
    assert replay.same and (replay.made, replay.given) == (3, 4)
    assert str(replay).endswith("3 latent frames that were made again, after 4 that were given")


def test_branches_and_restored_streams_are_made_again(tmp_path):
    running = stream(first_tokens=tiny_world.generator().generate(PROMPT, 3).tokens)
    for _ in range(2):
        running.advance()
    (branch,) = running.branch([9], actions="right*2 left")
    assert tiny_world.generator().replay(saved(branch, tmp_path / "a.fct", 7)).same
    recipes = read_tokens(tmp_path / "a.fct").recipes
    assert recipes == ((0, Recipe(3, PARAMS, True)), (2, Recipe(3, PARAMS)), (4, Recipe(9, PARAMS)))
    again = tiny_world.generator().restore(branch_of(running, 8).snapshot())
    assert again.past.recipes[0] == (0, Recipe(3, PARAMS, True))
    assert tiny_world.generator().replay(saved(again, tmp_path / "b.fct", 7)).same


def branch_of(running: Stream, seed: int) -> Stream:
    (branch,) = running.branch([seed])
    branch.advance()
    return branch


def test_a_stream_of_a_batch_is_made_again(tmp_path):
    running = stream()
    running.record(tmp_path / "a.fct")
    batch = StreamBatch.of(tiny_world.generator(), [running, tiny_world.generator().stream(PROMPT, 5, actions="right")])
    for _ in range(LENGTH - 1):
        batch.step()
    running.close()
    assert tiny_world.generator().replay(tmp_path / "a.fct").same


def test_another_seed_is_noticed_at_once(tmp_path, file):
    recipes = ((0, Recipe(4, PARAMS)),)
    replay = tiny_world.generator().replay(changed(file, tmp_path / "a.fct", seed=4, recipes=recipes))
    assert not replay.same and (replay.differs, replay.frame, replay.made) == (0, 0, 0)
    assert replay.why.startswith("the seed, the settings, the prompt")


def test_another_action_is_noticed_where_it_is(tmp_path, file):
    actions = read_tokens(file).actions.clone()
    actions[4:] = torch.tensor([1.0, 0.0, -1.0])
    replay = tiny_world.generator().replay(changed(file, tmp_path / "a.fct", actions=actions))
    assert (replay.differs, replay.frame, replay.made) == (4, 7, 4)
    assert "latent frame 4 (from frame 7 on) is another one in" in str(replay)
    assert "the action (left + gas -1) may be another than when it was made, or this machine rounds otherwise" in str(replay)


def test_another_token_setting_and_prompt_are_noticed(tmp_path, file):
    tokens = read_tokens(file).tokens.clone()
    tokens[5, 1, 1] = (tokens[5, 1, 1] + 1) % 60
    replay = tiny_world.generator().replay(changed(file, tmp_path / "a.fct", tokens=tokens))
    assert (replay.differs, replay.tokens) == (5, 1)
    recipes = ((0, Recipe(3, replace(PARAMS, temperature=2.0))),)
    assert not tiny_world.generator().replay(changed(file, tmp_path / "b.fct", recipes=recipes)).same
    replay = tiny_world.generator().replay(changed(file, tmp_path / "c.fct", prompts=((0, PROMPT), (3, "a ring falls"))))
    assert replay.differs == 3 and 'the prompt "a ring falls"' in replay.why


def test_another_bundle_is_named(tmp_path, file):
    with pytest.raises(TokenFileError, match=r"got tokens of the tokenizer of 'tiny world' \(sha256 .* use the bundle that made"):
        tiny_bundle.generator().replay(file)
    parts = (tiny_world.tokenizer(), tiny_world.lm(width=48), tiny_bundle.text_tokenizer(), 16, 24, 12.0)
    other = VideoGenerator(*parts, name="other", action_space=tiny_world.SPACE)
    with pytest.raises(
        TokenFileError, match=r"got a video that another video LM made .* than that of 'other' .* wanted the bundle"
    ):
        other.replay(file)
    unsaid = changed(file, tmp_path / "a.fct", lm=None, text=None)
    assert "the video LM, which the file does not name" in other.replay(unsaid).why


def test_a_video_that_was_encoded_cannot_be_made_again(tmp_path, file):
    codec = tiny_world.generator().codec
    with TokenWriter(tmp_path / "a.fct", codec.header()) as writer:
        writer.append(read_tokens(file).tokens)
    with pytest.raises(TokenFileError, match="got the tokens of a video that was encoded; wanted one that a model made"):
        tiny_world.generator().replay(tmp_path / "a.fct")


def test_files_of_models_without_actions_are_made_again_too(tmp_path):
    running = tiny_bundle.generator().stream([(0, PROMPT), (0.5, "a ring falls")], 3)
    assert tiny_bundle.generator().replay(saved(running, tmp_path / "a.fct", 5)).same
    assert not {"lm", "text", "action_space"} & set(read_tokens(tmp_path / "a.fct").header.values())


def test_actions_are_in_the_file(file):
    video = read_tokens(file)
    assert video.header.action_space == tiny_world.SPACE and video.header.lm == tiny_world.generator().hashes["lm"]
    running = stream()
    while running.num_latent_frames < LENGTH:
        running.advance()
    assert torch.equal(video.actions.nan_to_num(9), running.actions.nan_to_num(9)) and video.actions[0].isnan().all()


def test_a_writer_refuses_actions_of_no_space(tmp_path):
    with (
        TokenWriter(tmp_path / "a.fct", tiny_bundle.generator().codec.header()) as writer,
        pytest.raises(ValueError, match="got actions for a token file without an action space; wanted none"),
    ):
        writer.append(torch.zeros(1, 2, 3), actions=torch.zeros(1, 4, 3))
    with (
        TokenWriter(tmp_path / "b.fct", stream().header) as writer,
        pytest.raises(ValueError, match=r"got actions of shape \[1, 4, 3\] for a token file; wanted \[1, 2, 3\]"),
    ):
        writer.append(torch.zeros(1, 2, 3), actions=torch.zeros(1, 4, 3))
