"""Who is missing: processes of a training hold a line to process 0, which breaks when one of them dies, and tells the others.

Collectives do not say it: with NCCL the others would wait for half an hour, and with gloo the error names an address.
"""

import os
import secrets
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch.distributed as dist

from ..stopping import end_children

_LEFT, _FAILED, _DIED = 0, 1, 2
_MESSAGE, _TOKEN = struct.Struct("!ii"), 16  # what happened to which process; what a caller has to know
_PATIENCE, _GRACE = 60.0, 3.0  # seconds for all to call; for a process to end by itself, since another one failed
_HEARING = 1.0  # seconds in which the end of another process is heard
_THIS_MACHINE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Name:
    """How a process is called to people: `process 3 of 8 (node2, pid 4711)`."""

    rank: int
    world: int
    host: str
    pid: int

    def __str__(self) -> str:
        return f"process {self.rank} of {self.world} ({self.host}, pid {self.pid})"


class Watch:
    """Ends this process with a line that names the missing one, as soon as a process dies; in a thread of its own.

    A process that is killed, or whose machine no longer answers, is told within five seconds. Made by all processes together.

    Args:
        rank: Number of this process.
        world: How many there are.
        address: Where the others reach the machine of process 0.
        is_ending: Says whether this process is about to end by itself, and is not to be hurried.
    """

    def __init__(self, rank: int, world: int, address: str, is_ending: Callable[[], bool]):
        self.rank = rank
        self._is_ending = is_ending
        self._lines: dict[int, socket.socket] = {}
        self._left = threading.Event()
        names: list[Any] = [None] * world
        server = _listen(address) if rank == 0 else None
        place = None if server is None else (address, server.getsockname()[1], secrets.token_bytes(_TOKEN))
        dist.all_gather_object(names, (Name(rank, world, socket.gethostname(), os.getpid()), place))
        self.names: list[Name] = [name for name, _ in names]
        host, port, token = names[0][1]
        if server is not None:
            self._lines = _answer(server, token, world)
        else:
            self._lines = {0: _call((host, port), token, rank)}
        threading.Thread(target=self._listen_to_lines, daemon=True, name="watch").start()

    def leave(self, failed: bool) -> None:
        """This process ends; `failed` tells the others that they cannot go on without it.

        What failed may be a collective, since another process has died. So that is heard first, and said in the place of this.
        """
        if not self._left.is_set():
            if failed:
                self._left.wait(_HEARING)
            self._left.set()
            self._tell(_FAILED if failed else _LEFT, self.rank)
            for line in self._lines.values():
                line.close()

    def _listen_to_lines(self) -> None:
        selector = selectors.DefaultSelector()
        for rank, line in self._lines.items():
            selector.register(line, selectors.EVENT_READ, rank)
        while not self._left.is_set() and selector.get_map():
            for key, _ in selector.select(timeout=0.5):
                what, who = _read(key.fileobj) or (_DIED, key.data)  # type: ignore[arg-type]
                if self._left.is_set():
                    return
                if what != _LEFT:
                    self._end(what, who)
                selector.unregister(key.fileobj)

    def _end(self, what: int, who: int) -> None:
        """Ends this process, which may hang where no signal reaches it; others have been told before."""
        self._tell(what, who)
        if what == _FAILED and (self._left.wait(_GRACE) or self._is_ending()):
            return  # this one ends as well, and says why
        how = "is gone" if what == _DIED else "has ended before, and has said why"
        print(
            f"framecast train: {self.names[who]} {how}; process {self.rank} cannot go on without it; go on from the last "
            "checkpoint with --ckpt_path last",
            file=sys.stderr,
            flush=True,
        )
        end_children()
        os._exit(1)

    def _tell(self, what: int, who: int) -> None:
        for rank, line in self._lines.items():
            if rank != who:
                try:
                    line.sendall(_MESSAGE.pack(what, who))
                except OSError:
                    pass  # that one has ended, too


def _listen(address: str) -> socket.socket:
    server = socket.create_server(("127.0.0.1" if address in _THIS_MACHINE else "", 0))
    server.settimeout(1.0)
    return server


def _answer(server: socket.socket, token: bytes, world: int) -> dict[int, socket.socket]:
    """The lines of all other processes; who does not know the token is none of them."""
    lines: dict[int, socket.socket] = {}
    until = time.monotonic() + _PATIENCE
    with server:
        while len(lines) < world - 1:
            if time.monotonic() > until:
                raise ValueError(
                    f"got a call of {len(lines)} of {world - 1} processes within {_PATIENCE:.0f} s; wanted all; let the machines "
                    "reach each other on any port"
                )
            try:
                line, _ = server.accept()
            except TimeoutError:
                continue
            line.settimeout(5.0)
            hello = _exactly(line, _TOKEN + 4)
            if hello is None or not secrets.compare_digest(hello[:_TOKEN], token):
                line.close()
                continue
            lines[int.from_bytes(hello[_TOKEN:])] = _kept_alive(line)
    return lines


def _call(place: tuple[str, int], token: bytes, rank: int) -> socket.socket:
    line = socket.create_connection(place, timeout=_PATIENCE)
    line.sendall(token + rank.to_bytes(4))
    return _kept_alive(line)


def _kept_alive(line: socket.socket) -> socket.socket:
    """A line that breaks within five seconds if the other machine no longer answers."""
    line.settimeout(5.0)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2)):
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return line


def _read(line: socket.socket) -> tuple[int, int] | None:
    """What a line says; None if it is broken."""
    message = _exactly(line, _MESSAGE.size)
    return None if message is None else _MESSAGE.unpack(message)


def _exactly(line: socket.socket, size: int) -> bytes | None:
    data = b""
    try:
        while len(data) < size:
            more = line.recv(size - len(data))
            if not more:
                return None
            data += more
    except OSError:
        return None
    return data
