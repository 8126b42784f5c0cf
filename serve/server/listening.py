"""`listen`: the socket that a server takes connections at."""

import socket

import uvicorn


def listen(config: uvicorn.Config) -> socket.socket:
    """A socket bound to the host and port of a server, whose connections send small messages at once.

    Without `TCP_NODELAY` the second of two small messages, such as a receipt and its frame, waits for the answer to the first,
    which a system gives 40 ms late. asyncio sets it only on sockets that say their protocol, and those of uvicorn do not.

    Raises:
        ValueError: The address cannot be bound to.
    """
    try:
        listener = config.bind_socket()
    except (OSError, SystemExit) as error:
        raise ValueError(
            f"cannot serve at {config.host}:{config.port} ({error}); is the port taken? choose another --port"
        ) from error
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
