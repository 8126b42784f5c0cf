"""A bundle goes to the Hub and comes back the same; what cannot be found or must not be fetched is named."""

import sys

import hub_stand_in
import pytest
import tiny_bundle
import torch
from hub_stand_in import TOKEN, Hub

from framecast.sample import from_pretrained, hub, load_generator, push_to_hub
from framecast.sample.bundle_files import BundleError

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
PROMPT = "a red circle moves right"


@pytest.fixture
def there(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with hub_stand_in.running() as running:
        yield running


def shared(folder, there: Hub, name: str = "ada/kitchen", **options) -> str:
    return push_to_hub(folder, name, token=TOKEN, endpoint=there.url, **options)


def test_a_bundle_comes_back_the_same(tmp_path, there):
    folder = tiny_bundle.save(tmp_path / "bundle")
    url = shared(folder, there)
    assert url == f"{there.url}/ada/kitchen/commit/{there.commit_of('ada/kitchen')}"
    assert there.files["ada/kitchen"] == {file.name: file.read_bytes() for file in folder.iterdir()}
    generator = from_pretrained("ada/kitchen", endpoint=there.url)
    own = load_generator(folder)
    assert torch.equal(*(each.generate(PROMPT, num_frames=5).tokens for each in (generator, own)))


def test_what_was_fetched_is_not_fetched_again_and_stays_without_a_connection(tmp_path, there):
    shared(tiny_bundle.save(tmp_path / "bundle"), there)
    from_pretrained("ada/kitchen", endpoint=there.url)
    there.asked.clear()
    from_pretrained("ada/kitchen", endpoint=there.url)
    assert not [line for line in there.asked if line.startswith("GET") and "/resolve/" in line]
    there.asked.clear()
    from_pretrained("ada/kitchen", local_files_only=True, endpoint=there.url)
    assert not there.asked


def test_only_files_of_a_bundle_travel(tmp_path, there):
    folder = tiny_bundle.save(tmp_path / "bundle")
    (folder / ".DS_Store").write_bytes(b"left by a file manager")
    shared(folder, there)
    there.files["ada/kitchen"]["evil.py"] = b"raise SystemExit"
    there.files["ada/kitchen"]["starts.safetensors"] = b"of an older bundle"
    shared(folder, there, message="again")
    assert set(there.files["ada/kitchen"]) == {"evil.py", *(file.name for file in folder.iterdir())} - {".DS_Store"}
    from_pretrained("ada/kitchen", endpoint=there.url)
    assert not [line for line in there.asked if "evil" in line]


def test_a_folder_needs_no_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_hub", lambda: pytest.fail("asked for the Hub"))
    assert from_pretrained(tiny_bundle.save(tmp_path / "bundle")).height == 16
    assert from_pretrained("default").height == 64


@pytest.mark.parametrize("source", ["no_folder", "a/b/c", "../x", "ada/kit chen", "/tmp/none"])
def test_what_is_neither_a_folder_nor_an_id_is_named_and_nothing_is_asked(source, monkeypatch):
    monkeypatch.setattr(hub, "_hub", lambda: pytest.fail("asked for the Hub"))
    with pytest.raises(BundleError, match="which is no folder here; wanted one, or an id of the Hub"):
        from_pretrained(source)


def test_a_repository_that_is_not_there_is_named(there):
    with pytest.raises(BundleError, match=r"cannot fetch ada/none: .* the Hub shows no such repository"):
        from_pretrained("ada/none", endpoint=there.url)


def test_a_revision_that_is_not_there_is_named(tmp_path, there):
    shared(tiny_bundle.save(tmp_path / "bundle"), there)
    with pytest.raises(BundleError, match="cannot fetch ada/kitchen: it has no such revision"):
        from_pretrained("ada/kitchen", revision="v9", endpoint=there.url)


def test_a_repository_of_something_else_is_named(there):
    there.files["ada/other"] = {"model.bin": b"x", "README.md": b"---\n---\n"}
    with pytest.raises(BundleError, match="ada/other on the Hub is no bundle: it has no config"):
        from_pretrained("ada/other", endpoint=there.url)


def test_a_damaged_bundle_is_named(tmp_path, there):
    shared(tiny_bundle.save(tmp_path / "bundle"), there)
    weights = there.files["ada/kitchen"]["lm.safetensors"]
    there.files["ada/kitchen"]["lm.safetensors"] = weights[:-1] + bytes([weights[-1] ^ 1])
    with pytest.raises(BundleError, match=r"lm\.safetensors"):
        from_pretrained("ada/kitchen", endpoint=there.url)


def test_offline_stays_offline(there, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BundleError, match="the Hub cannot be reached, or must not be"):
        from_pretrained("ada/kitchen", endpoint=there.url)
    assert not there.asked


def test_a_hub_that_does_not_answer_is_named(there, monkeypatch):
    with pytest.raises(BundleError, match="the Hub cannot be reached"):
        from_pretrained("ada/kitchen", endpoint="http://127.0.0.1:9")


def test_nothing_is_sent_of_what_is_no_bundle(tmp_path, there):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="is no bundle"):
        shared(tmp_path / "empty", there)
    with pytest.raises(BundleError, match="wanted one, or an id of the Hub"):
        shared(tiny_bundle.save(tmp_path / "bundle"), there, "kitchen")
    assert not there.asked


def test_somebody_who_may_not_write_is_told(tmp_path, there):
    with pytest.raises(BundleError, match="cannot share ada/kitchen: the Hub says: "):
        push_to_hub(tiny_bundle.save(tmp_path / "bundle"), "ada/kitchen", token="hf_other", endpoint=there.url)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[hub\]'"):
        from_pretrained("ada/kitchen")
