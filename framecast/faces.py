"""The face of a package: its public names, which its stub lists, each loaded when it is first used.

Every room may import this module, which imports nothing of ours.
"""

from collections.abc import Callable
from typing import Any

import lazy_loader


def face(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package.

    Args:
        package: Its `__name__`.
        file: Its `__file__`, beside which the stub `__init__.pyi` lies.
    """
    load, names, public = lazy_loader.attach_stub(package, file)

    def get(name: str) -> Any:
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; the public names are {', '.join(public)}")
        return load(name)

    return get, names, public
