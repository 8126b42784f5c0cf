"""Streams shown frame by frame: server, page, client, and the player of notebooks.

The public names are loaded on first use, so importing this needs no extra package.
"""

import importlib

_PUBLIC = {
    "Client": ".client.client",
    "Player": ".notebook.player",
    "ServeConfig": ".server.config",
    "ServeError": ".protocol.errors",
    "Service": ".server.service",
    "create_app": ".server.app",
    "run_server": ".server.run",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; the public names are {', '.join(__all__)}")
    return getattr(importlib.import_module(_PUBLIC[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
