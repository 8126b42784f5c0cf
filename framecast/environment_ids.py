"""The ids of worlds in the registry of Gymnasium, whichever of the two packages is imported first.

Gymnasium is not imported for this, since `import framecast` is fast and few programs need environments. Gymnasium asks no package
for its environments when it is imported. So a finder among those of `sys.meta_path` waits for it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ID = "framecast/World-v0"
_GYMNASIUM = "gymnasium"
_ROOM = f"{__package__}.sample.worlds"


def register_worlds() -> None:
    """Lets `gymnasium.make` and `gymnasium.make_vec` know worlds: at once, or as soon as Gymnasium is imported."""
    if _GYMNASIUM in sys.modules:
        _register(sys.modules[_GYMNASIUM])
    elif not any(isinstance(finder, _Waiting) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Waiting())


def _register(gymnasium: ModuleType) -> None:
    """Enters worlds, unless they are there; a world itself sees to it that a reset comes first."""
    register = getattr(gymnasium, "register", None)  # a folder of that name is no Gymnasium
    if register is not None and ID not in gymnasium.registry:
        register(ID, f"{_ROOM}:WorldEnv", vector_entry_point=f"{_ROOM}:WorldVectorEnv", order_enforce=False)


class _Waiting:
    """Finds nothing but Gymnasium, by the finders behind it, and registers worlds once that is imported."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _GYMNASIUM:
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next((found for found in others if found is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader)  # type: ignore[assignment]
        return spec


class _Registering:
    """Loads a module as its own loader does, of which nobody notices anything, and registers worlds after it."""

    def __init__(self, loader: Any):
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Waiting)]
        _register(module)
