"""What a command costs before it begins: which packages it loads."""

import subprocess
import sys

import pytest

SLOW = {"vector_quantize_pytorch", "einx", "sympy", "torch._dynamo", "lightning", "matplotlib", "cv2", "scipy"}
"""Each takes from half a second to many seconds."""
LOAD = "import framecast; framecast.load_generator()"
SAMPLE = f"{LOAD}.generate('a red circle moves right', 1)"


def loaded_after(statement: str) -> set[str]:
    """The names in `SLOW` that a fresh Python has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split()) & SLOW


@pytest.mark.parametrize("statement", ["import framecast.sample", LOAD, SAMPLE], ids=["import", "load", "sample"])
def test_sampling_loads_nothing_slow_but_torch(statement):
    assert loaded_after(statement) == set()


def test_control_a_slow_package_is_seen():
    assert "vector_quantize_pytorch" in loaded_after("from framecast.tokenizer import VQ")
