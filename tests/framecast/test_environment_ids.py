"""The ids of worlds in Gymnasium's registry, in both orders of import."""

import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

from framecast.environment_ids import ID, register_worlds

REPO = Path(__file__).resolve().parents[2]


def printed(*lines: str) -> str:
    code = "\n".join(["import sys", *lines])
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True).stdout.strip()


@pytest.mark.parametrize("order", ["framecast, gymnasium", "gymnasium, framecast"])
def test_ids_are_known_in_both_orders(order):
    spec = f"gymnasium.spec({ID!r})"
    said = printed(f"import {order}", f"print({spec}.entry_point, type(gymnasium.__loader__).__name__, 'torch' in sys.modules)")
    assert said == "framecast.sample.worlds:WorldEnv SourceFileLoader False"


def test_gymnasium_is_not_imported_for_it():
    looked = ["from importlib.util import find_spec", "found = find_spec('gymnasium')"]  # as who asks whether it is installed
    assert printed("import framecast", *looked, "print('gymnasium' in sys.modules)") == "False"
    assert printed("import framecast", *looked, "import gymnasium", f"print({ID!r} in gymnasium.registry)") == "True"


def test_an_id_is_entered_once(recwarn):
    before = gymnasium.registry[ID]
    register_worlds()
    assert gymnasium.registry[ID] is before and not recwarn.list
