"""The frame-by-frame streaming extension: server, page and client. Needs `pip install 'framecast[serve]'`."""

import importlib

_PUBLIC = {
    "Client": ".client",
    "ServeConfig": ".config",
    "ServeError": ".errors",
    "Service": ".service",
    "create_app": ".app",
    "run_server": ".server",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'framecast.serve' has no attribute {name!r}; the public names are {', '.join(__all__)}")
    return getattr(importlib.import_module(_PUBLIC[name], __name__), name)
