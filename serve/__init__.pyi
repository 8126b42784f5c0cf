from .client.client import Client
from .notebook.player import Player
from .protocol.errors import ServeError
from .server.app import create_app
from .server.config import ServeConfig
from .server.run import run_server
from .server.service import Service

__all__ = ["Client", "Player", "ServeConfig", "ServeError", "Service", "create_app", "run_server"]
