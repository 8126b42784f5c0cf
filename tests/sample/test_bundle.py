"""Bundles: what is saved is what is loaded, damage is told by name, nothing in one can run code."""

import hashlib
import pickle
import re
import shutil
from pathlib import Path

import pytest
import tiny_bundle
import torch
from damaged_bundles import assert_refused, change_config, change_manifest, change_weights, contents, replace

from framecast.sample import Bundle, BundleError, SamplingParams, load_bundle, load_generator

REPO = Path(__file__).resolve().parents[2]
PROMPT = "a red circle moves right"
PARAMS = SamplingParams(temperature=1.0)
NAMES = {"config.json", "manifest.json", "README.md", "tokenizer.safetensors", "lm.safetensors", "text.model"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    return tiny_bundle.save(tmp_path_factory.mktemp("bundles") / "tiny", card="# A tiny one")


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "bundle"))


def test_a_bundle_holds_what_it_says(saved):
    assert set(contents(saved)) == NAMES
    bundle = load_bundle(saved)
    assert (bundle.path, bundle.height, bundle.width, bundle.fps) == (saved, 16, 24, 12.0)
    assert bundle.training == tiny_bundle.TRAINING
    assert bundle.tokenizer.config == tiny_bundle.tokenizer().config and bundle.lm.config == tiny_bundle.lm().config
    assert bundle.tokenizer.quantizer.options == tiny_bundle.tokenizer().quantizer.options
    assert (saved / "README.md").read_text() == "# A tiny one"
    for name, digest in bundle.hashes.items():
        assert hashlib.sha256((saved / name).read_bytes()).hexdigest() == digest
    assert set(bundle.hashes) == NAMES - {"manifest.json"}


def test_what_is_loaded_makes_the_same_tokens(saved):
    clip = tiny_bundle.generator().generate(PROMPT, 9, 3, PARAMS)
    again = load_generator(str(saved)).generate(PROMPT, 9, 3, PARAMS)
    assert torch.equal(again.tokens, clip.tokens) and torch.equal(again.frames, clip.frames)


def test_saving_what_was_loaded_gives_the_same_files(saved, tmp_path):
    bundle = load_bundle(saved)
    video = {"height": bundle.height, "width": bundle.width, "fps": bundle.fps}
    again = tiny_bundle.save(
        tmp_path / "again",
        tokenizer=bundle.tokenizer,
        lm=bundle.lm,
        text_tokenizer=bundle.text_tokenizer,
        video=video,
        training=bundle.training,
        card="# A tiny one",
    )
    assert contents(again) == contents(saved)


def test_bfloat16_halves_the_weights_and_loads_as_float32(saved, tmp_path):
    half = tiny_bundle.save(tmp_path / "half", dtype=torch.bfloat16)
    sizes = [(folder / "lm.safetensors").stat().st_size for folder in (half, saved)]
    assert 0.45 < sizes[0] / sizes[1] < 0.6
    bundle = load_bundle(half)
    for ours, original in ((bundle.lm, tiny_bundle.lm()), (bundle.tokenizer, tiny_bundle.tokenizer())):
        for value, expected in zip(ours.state_dict().values(), original.state_dict().values(), strict=True):
            assert value.dtype == expected.dtype
            floating = expected.is_floating_point()
            assert torch.equal(value, expected.bfloat16().float() if floating else expected)
    assert bundle.generator().generate(PROMPT, 5, 0).frames.shape == (5, 16, 24, 3)


def test_a_generator_in_bfloat16_knows_the_same_tokens(saved):
    bundle = load_bundle(saved)
    generator = bundle.generator(dtype=torch.bfloat16)
    assert generator.lm.places.weight.dtype == torch.bfloat16 and bundle.lm.places.weight.dtype == torch.float32
    assert generator.hashes["tokenizer"] == bundle.generator().hashes["tokenizer"]
    stream = generator.stream(PROMPT, params=PARAMS)
    stream.advance()
    goes_on = bundle.generator(dtype=torch.bfloat16).restore(stream.snapshot())
    assert torch.equal(goes_on.advance().tokens, stream.advance().tokens)
    with pytest.raises(ValueError, match="other"):
        bundle.generator().restore(stream.snapshot())


def test_a_bundle_of_a_tokenizer_alone(tmp_path):
    alone = tiny_bundle.save(tmp_path / "alone", lm=None, text_tokenizer=None)
    assert set(contents(alone)) == NAMES - {"lm.safetensors", "text.model"}
    bundle = load_bundle(alone)
    assert isinstance(bundle, Bundle) and bundle.lm is None and bundle.text_tokenizer is None
    with pytest.raises(BundleError, match="holds a tokenizer and no video LM; wanted both to generate"):
        bundle.generator()


@pytest.mark.parametrize("missing", ["lm", "text_tokenizer"])
def test_an_lm_and_its_text_tokenizer_come_together(tmp_path, missing):
    with pytest.raises(ValueError, match="got a video LM or a text tokenizer alone; wanted both"):
        tiny_bundle.save(tmp_path / "half", **{missing: None})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(NAMES - {"manifest.json"}))
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_a_damaged_file_is_named(folder, name, damage):
    file, data = folder / name, (folder / name).read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "flipped":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        file.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    assert_refused(folder, name)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"3", b'{"config.json": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_manifest_is_named(folder, data):
    (folder / "manifest.json").write_bytes(data)
    assert_refused(folder, "manifest.json")


def test_a_missing_manifest_is_named(folder):
    (folder / "manifest.json").unlink()
    assert_refused(folder, "manifest.json cannot be read")


@pytest.mark.parametrize("name", sorted(NAMES - {"manifest.json", "README.md"}))
def test_a_file_that_the_manifest_forgets_is_named(folder, name):
    change_manifest(folder, lambda manifest: manifest.pop(name))
    assert_refused(folder, f"manifest.json does not name {name}")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "extra.bin", "manifest.json", "", ".", "sub/config.json"])
def test_a_manifest_cannot_name_other_files(folder, name):
    (folder.parent / "secret").write_bytes(b"secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    change_manifest(folder, lambda manifest: manifest.update({name: {"sha256": digest, "bytes": 6}}))
    assert_refused(folder, f"names {name!r}, which no bundle has")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b"3", b"null", b'"x"', b"{}", b"[" * 100_000])
def test_a_config_that_is_none_is_named(folder, data):
    replace(folder, "config.json", data)
    assert_refused(folder, "config.json")


STRANGE = {
    "format 2": (lambda c: c.update(format=2), "this version reads format 1"),
    "no format": (lambda c: c.pop("format"), "format"),
    "unknown quantizer": (lambda c: c["tokenizer"]["quantizer"].update(name="os.system"), "unknown quantizer 'os.system'; known"),
    "a list of quantizers": (lambda c: c["tokenizer"]["quantizer"].update(name=["FSQ"]), "unknown quantizer"),
    "unknown option": (lambda c: c["tokenizer"]["quantizer"]["options"].update(call="ls"), "call"),
    "illegal levels": (lambda c: c["tokenizer"]["quantizer"]["options"].update(levels=[1]), "levels"),
    "no tokenizer": (lambda c: c.update(tokenizer=None), "TypeError"),
    "unknown setting": (lambda c: c["lm"].update(command="ls"), "command"),
    "a missing setting": (lambda c: c["lm"].pop("frame_shape"), "frame_shape"),
    "a text for a number": (lambda c: c["lm"].update(width="wide"), "TypeError"),
    "no heads": (lambda c: c["lm"].update(num_heads=0), "num_heads 0"),
    "a negative width": (lambda c: c["lm"].update(width=-32), "config.json"),
    "a network of terabytes": (lambda c: c["lm"].update(width=2**40), "config.json"),
    "no channels": (lambda c: c["tokenizer"]["config"].update(channels=[]), "config.json"),
    "half a channel": (lambda c: c["tokenizer"]["config"].update(channels=[8.5, 8, 8]), "config.json"),
    "no video": (lambda c: c.pop("video"), "video"),
    "a temperature that is none": (lambda c: c.update(sampling={"temperature": "hot"}), "config.json"),
    "settings that are none": (lambda c: c.update(sampling=3), "config.json"),
    "a size that is none": (lambda c: c["video"].update(height="tall"), "config.json"),
    "a size of no whole tokens": (lambda c: c["video"].update(height=15), "got frames of 15x24 pixels"),
    "an endless rate": (lambda c: c["video"].update(fps=float("inf")), "fps inf"),
    "a rate that is no number": (lambda c: c["video"].update(fps=float("nan")), "fps nan"),
    "no rate": (lambda c: c["video"].update(fps=0), "fps 0"),
    "an endless size": (lambda c: c["video"].update(width=float("inf")), "OverflowError"),
    "no training": (lambda c: c.update(training=None), "TypeError"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_config_is_named(folder, case):
    change, word = STRANGE[case]
    change_config(folder, change)
    assert_refused(folder, "config.json", word)


def test_networks_that_do_not_fit_each_other_are_refused(folder):
    change_config(folder, lambda config: config["video"].update(height=24))
    assert_refused(folder, "(3, 3) tokens per frame and a video LM for (2, 3)")


@pytest.mark.parametrize("name", ["tokenizer.safetensors", "lm.safetensors"])
@pytest.mark.parametrize("data", [b"", b"garbage", pickle.dumps({"weight": [1.0]}), b"\xff" * 64])
def test_bytes_that_are_no_safetensors_are_named(folder, name, data):
    replace(folder, name, data)
    assert_refused(folder, f"{name} is no safetensors file")


class Exploit:
    """Would leave a mark if it were ever unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path(__file__).with_name("exploited"),))


@pytest.mark.parametrize("name", sorted(NAMES - {"manifest.json", "README.md"}))
def test_a_pickle_is_never_opened(folder, name, tmp_path):
    mark = Path(__file__).with_name("exploited")
    torch.save({"weight": torch.zeros(3), "exploit": Exploit()}, tmp_path / "checkpoint.pt")
    for data in (pickle.dumps(Exploit()), (tmp_path / "checkpoint.pt").read_bytes()):
        replace(folder, name, data)
        assert_refused(folder, name)
        assert not mark.exists()


def first(weights: dict) -> str:
    return min(name for name, value in weights.items() if value.is_floating_point() and value.ndim > 1)


@pytest.mark.parametrize("name", ["tokenizer.safetensors", "lm.safetensors"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w[first(w)].view(-1)[3:4].fill_(float("nan")), "values that are not finite in"),
        (lambda w: w[first(w)].view(-1)[:1].fill_(float("inf")), "values that are not finite in"),
        (lambda w: w.pop(first(w)), "missing, extra or of another shape"),
        (lambda w: w.update(extra=torch.zeros(1)), "extra is missing, extra or of another shape"),
        (lambda w: w.update({first(w): w[first(w)][1:].contiguous()}), "missing, extra or of another shape"),
        (lambda w: w.update({first(w): w[first(w)].flatten()}), "missing, extra or of another shape"),
        (lambda w: w.clear(), "missing, extra or of another shape"),
    ],
    ids=["nan", "inf", "missing", "extra", "smaller", "flat", "none"],
)
def test_weights_that_do_not_fit_are_named(folder, name, change, words):
    change_weights(folder, name, change)
    assert_refused(folder, name, words)


def test_bytes_that_are_no_text_model_are_named(folder):
    replace(folder, "text.model", b"garbage")
    assert_refused(folder, "text.model")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: None], ids=["empty", "file", "missing"])
def test_what_is_no_bundle_is_refused(tmp_path, make):
    make(tmp_path / "it")
    with pytest.raises(BundleError, match=r"it is no bundle: it has no config\.json; wanted a folder that a training exported"):
        load_bundle(tmp_path / "it")


def test_saving_again_replaces_an_older_bundle(folder):
    tiny_bundle.save(folder, lm=None, text_tokenizer=None, card="new")
    assert set(contents(folder)) == NAMES - {"lm.safetensors", "text.model"}
    assert load_bundle(folder).lm is None
    assert list(folder.parent.iterdir()) == [folder]


def test_a_missing_parent_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cannot write the bundle .*: the folder .*nowhere does not exist; make it first"):
        tiny_bundle.save(tmp_path / "nowhere" / "bundle")


@pytest.mark.parametrize("names", [(), ("notes.txt",), ("config.json", "main.py")])
def test_what_is_no_bundle_is_never_replaced(tmp_path, names):
    folder = tmp_path / "work"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}")
    with pytest.raises(ValueError, match="something that is no bundle is there; name another folder"):
        tiny_bundle.save(folder)
    assert set(contents(folder)) == set(names)


def test_a_file_is_never_replaced(tmp_path):
    (tmp_path / "work").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there"):
        tiny_bundle.save(tmp_path / "work")
    assert (tmp_path / "work").read_text() == "mine"


@pytest.mark.parametrize(("method", "calls"), [("write_bytes", 0), ("write_bytes", 3), ("rename", 0), ("rename", 1)])
@pytest.mark.parametrize("interruption", [OSError, KeyboardInterrupt])
def test_an_interrupted_save_leaves_the_old_bundle_whole(folder, monkeypatch, method, calls, interruption):
    before, original, left = contents(folder), getattr(Path, method), [calls]

    def fail(self, *args):
        left[0] -= 1
        if left[0] == -1:
            raise interruption("now")
        return original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, fail)
        with pytest.raises(interruption):
            tiny_bundle.save(folder, lm=None, text_tokenizer=None)
    assert left[0] < 0
    assert contents(folder) == before and list(folder.parent.iterdir()) == [folder]
    load_bundle(folder)


@pytest.mark.parametrize("method", ["write_bytes", "rename"])
def test_an_interrupted_first_save_leaves_nothing(tmp_path, monkeypatch, method):
    def fail(self, *args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, fail)
        with pytest.raises(OSError, match="disk full"):
            tiny_bundle.save(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_can_be_read_by_others(saved):
    assert saved.stat().st_mode & 0o777 == 0o755


RUNS_CODE = re.compile(
    r"(?<![\w.])(?:eval|exec)\(|pickle\.loads?\(|Unpickler|yaml\.(?:load|unsafe_load|full_load)\(|weights_only\s*=\s*False|"
    r"torch\.load\((?!.*weights_only=True)|\b(?:dill|joblib|shelve|marshal)\b|os\.system\(|shell=True|allow_pickle=True"
)


@pytest.mark.parametrize("room", ["data", "tokenizer", "model", "sample", "train", "evaluate", "framecast"])
def test_no_package_has_a_call_that_runs_what_it_reads(room):
    files = sorted((REPO / room).rglob("*.py"))
    assert files
    lines = [(file.name, line.strip()) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(name, line) for name, line in lines if RUNS_CODE.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "x = eval(text)",
        "exec(code)",
        "pickle.load(file)",
        "return pickle.loads(data)",
        "yaml.load(text, Loader)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_control_a_call_that_runs_what_it_reads_is_caught(line):
    assert RUNS_CODE.search(line)
    assert not RUNS_CODE.search("model.eval(); torch.load(path, weights_only=True); yaml.safe_load(text)")


def test_the_default_is_read_where_no_folder_is_named(saved, monkeypatch):
    monkeypatch.setattr("framecast.sample.bundle_files.DEFAULT", saved)
    assert load_bundle().path == saved
    assert load_generator().fps == 12.0


def test_a_bundle_from_before_a_setting_existed_is_read(folder):
    change_config(folder, lambda c: (c["tokenizer"]["config"].pop("local_encoder"), c["lm"].pop("codebook_base")))
    bundle = load_bundle(folder)
    assert bundle.tokenizer.config.local_encoder is False and bundle.lm.config.codebook_base is None


def test_a_bundle_may_have_a_picture(tmp_path):
    picture = b"\xff\xd8\xff" + bytes(1000)
    folder = tiny_bundle.save(tmp_path / "bundle", picture=picture)
    assert (folder / "picture.jpg").read_bytes() == picture
    assert load_bundle(folder).hashes["picture.jpg"] == hashlib.sha256(picture).hexdigest()
    tiny_bundle.save(folder)  # an older bundle with a picture may be replaced
    assert set(contents(folder)) == NAMES
    for wrong, words in ((b"\x89PNG" + bytes(9), "no JPEG"), (picture + bytes(200_000), "201,003 bytes, a JPEG")):
        with pytest.raises(ValueError, match=words):
            tiny_bundle.save(tmp_path / "other", picture=wrong)
    folder = tiny_bundle.save(folder, picture=picture)
    replace(folder, "picture.jpg", bytes(200_001))
    assert_refused(folder, "picture.jpg")
