"""Arguments of `framecast train` that try to run what nobody asked for, or to fill the memory."""

import os
from pathlib import Path

MARKER = "imported"
"""What the planted module leaves in its folder when it is imported."""
PLANTED = "planted_module"
CONFIG = Path(__file__).parents[2] / "train" / "configs" / "tiny_tokenizer.yaml"

_CLASS_PATHS = {
    "a planted class": f"{PLANTED}.Model",
    "a planted submodule": f"{PLANTED}.inner.Model",
    "a process": "subprocess.Popen",
    "a command": "os.system",
    "builtins": "builtins.eval",
    "an allowed name as a prefix": f"framecast_{PLANTED}.Model",
    "an allowed name with more": f"torch.optim_{PLANTED}.Model",
    "what an allowed module has imported": "framecast.train.cli.sys",
    "a class behind an allowed module": "framecast.train.cli.LightningCLI",
    "a function behind an allowed module": "framecast.train.cli.set_parsing_settings",
    "a module behind callbacks": "lightning.pytorch.callbacks.model_checkpoint.os.system",
    "a function of ours": "framecast.train.module._is_finite",
    "a parent folder": f"..{PLANTED}.Model",
    "other letters that look alike": f"frаmecast.{PLANTED}.Model",
    "the parser itself": "jsonargparse.ArgumentParser",
    "another part of Lightning": "lightning.pytorch.demos.boring_classes.BoringModel",
    "another part of torch": "torch.nn.Linear",
}
_PLACES = {
    "trainer.callbacks": "trainer:\n  callbacks:\n    - class_path: {}\n",
    "trainer.logger": "trainer:\n  logger:\n    class_path: {}\n    init_args:\n      save_dir: .\n",
    "trainer.strategy": "trainer:\n  strategy:\n    class_path: {}\n",
    "trainer.plugins": "trainer:\n  plugins:\n    - class_path: {}\n",
    "trainer.profiler": "trainer:\n  profiler:\n    class_path: {}\n",
    "data": "data:\n  class_path: {}\n",
    "data source": "data:\n  init_args:\n    source:\n      class_path: {}\n",
    "quantizer": "model:\n  init_args:\n    quantizer:\n      class_path: {}\n",
    "optimizer": "optimizer:\n  class_path: {}\n",
    "schedule": "lr_scheduler:\n  class_path: {}\n",
}


def plant(folder: Path) -> None:
    """A module, and one of each look-alike name, that leave a mark when they are imported."""
    text = f"import pathlib\npathlib.Path({str(folder / MARKER)!r}).touch()\nclass Model: pass\n"
    for name in (PLANTED, f"framecast_{PLANTED}"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text)
        (folder / name / "inner.py").write_text(text)


def make_settings(folder: Path) -> dict[str, list[str]]:
    """Options after `fit --config CONFIG`, by what they try; all of them are to be refused."""
    cases = {f"{what} as the model": [f"--model={path}"] for what, path in _CLASS_PATHS.items()}
    for number, (place, text) in enumerate(_PLACES.items()):
        file = folder / f"place_{number}.yaml"
        file.write_text(text.format(f"{PLANTED}.Model"))
        cases[f"a planted class as {place}"] = ["--config", str(file)]
    hook = "trainer:\n  callbacks:\n    - class_path: lightning.pytorch.callbacks.LambdaCallback\n      init_args:\n"
    for name, function in {"foreign": "os.system", "our own": "framecast.train.cli.main"}.items():
        file = folder / f"hook_{name.split()[0]}.yaml"
        file.write_text(f"{hook}        on_train_start: {function}\n")
        cases[f"a {name} function by name"] = ["--config", str(file)]
    inner = folder / "inner.yaml"
    inner.write_text(f"class_path: {PLANTED}.Model\n")
    cases["a planted class in a file that a setting names"] = [f"--data={inner}"]
    cases["help about a planted class"] = [f"--model.help={PLANTED}.Model"]
    return {**cases, **_make_texts(folder)}


def _make_texts(folder: Path) -> dict[str, list[str]]:
    laughs = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))]
    merges = ["a0: &a0 {k0: x}", *(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12))]
    texts = {
        "aliases that unfold": "\n".join(laughs),
        "merges that unfold": "\n".join(merges),
        "an alias of itself": "a: &a [*a]",
        "brackets without end": "[" * 100_000,
        "braces without end": "{a: " * 10_000,
        "a tag of Python": "a: !!python/object/apply:os.system [touch x]",
        "a long number": f"seed_everything: {'9' * 10_000}",
        "too much text": "# comment\n" * 200_000,
        "no text": "\ud800",
    }
    cases = {}
    for number, (what, text) in enumerate(texts.items()):
        (folder / f"text_{number}.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        cases[what] = ["--config", str(folder / f"text_{number}.yaml")]
    os.mkfifo(folder / "pipe")
    (folder / "endless").symlink_to("/dev/zero")
    with (folder / "holes.yaml").open("wb") as file:
        file.truncate(2**34)
    files = {"a pipe": "pipe", "a device": "endless", "a file of holes": "holes.yaml", "a folder": ".", "nothing": "none.yaml"}
    cases |= {f"{what} as settings": ["--config", str(folder / name)] for what, name in files.items()}
    cases["a pipe in the place of a setting"] = [f"--data={folder / 'pipe'}"]
    cases |= {f"settings from {scheme}": ["--config", f"{scheme}://127.0.0.1:9/x.yaml"] for scheme in ("http", "s3", "ftp")}
    return cases
