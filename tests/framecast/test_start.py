"""What a command costs before it begins: which packages it loads."""

import subprocess
import sys

import pytest

SECONDS = {"torch", "numpy", "av", "safetensors", "rich"}
"""What saying something about a file need not load."""
SLOW = {"vector_quantize_pytorch", "einx", "sympy", "torch._dynamo", "lightning", "matplotlib", "cv2", "scipy"}
"""Each takes from half a second to many seconds."""
LOAD = "import framecast; framecast.load_generator()"
SAMPLE = f"{LOAD}.generate('a red circle moves right', 1)"


def loaded_after(statement: str) -> set[str]:
    """The names in `SLOW` that a fresh Python has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split()) & SLOW


@pytest.mark.parametrize("statement", ["import framecast.sample", SAMPLE], ids=["import", "sample"])
def test_sampling_loads_nothing_slow_but_torch(statement):
    assert loaded_after(statement) == set()


def packages_of(*command: str) -> set[str]:
    """The packages that a command has loaded when it is done, but for Python's own."""
    code = f"from framecast.cli import main\nassert main({list(command)!r}) == 0\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.splitlines()[-1].split()} - sys.stdlib_module_names


def test_saying_what_the_shipped_model_holds_loads_ten_packages_at_most():
    loaded = packages_of("info")
    assert loaded & (SECONDS | SLOW) == set()
    assert "framecast" in loaded and len(loaded) <= 10


def test_control_a_command_that_makes_video_loads_torch(tmp_path):
    assert SECONDS <= packages_of("sample", "a ring", "--num_frames", "1", "--out", str(tmp_path / "a.png")) | {"rich"}


def test_control_a_slow_package_is_seen():
    assert "matplotlib" in loaded_after("import framecast, matplotlib")
