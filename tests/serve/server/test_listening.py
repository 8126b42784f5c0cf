"""Connections of a server send small messages at once."""

import socket

import pytest
import uvicorn

from framecast.serve.server.listening import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connections_do_not_wait_to_send_small_messages(host):
    try:
        listener = listen(uvicorn.Config("", host=host, port=0))
    except ValueError:
        pytest.skip(f"skipped: no {host} here")
    with listener:
        listener.listen(1)
        with socket.create_connection(listener.getsockname()[:2]):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_taken_port_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"cannot serve at 127.0.0.1:{port} .*; is the port taken\? choose another --port"):
            listen(uvicorn.Config("", host="127.0.0.1", port=port))
