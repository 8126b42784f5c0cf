"""`Peer`: the client at the other end of a WebSocket."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..protocol import messages
from ..protocol.errors import ServeError
from .config import ServeConfig
from .flow import Rate


class Peer:
    """Reads what a client says and tells it what is to be told; it must not say too much, and it has to listen.

    Args:
        socket: The connection.
        config: The limits.
        is_quiet: Whether the client may say nothing for as long as it likes.

    Attributes:
        is_stuck: Whether it does not read what it is sent.
    """

    def __init__(self, socket: WebSocket, config: ServeConfig, is_quiet: Callable[[], bool]):
        self._socket, self._config, self._is_quiet = socket, config, is_quiet
        self._rate, self.is_stuck = Rate(config.message_rate), False

    async def accept(self) -> None:
        """Opens the connection."""
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(messages.SUBPROTOCOL if messages.SUBPROTOCOL in offered else None)

    async def receive(self) -> Any:
        """The next message.

        Raises:
            ServeError: It is none of the protocol, or did not come in time.
            WebSocketDisconnect: The client has gone.
        """
        message = await self._next_message()
        if message.get("text") is None:
            raise ServeError("bad_message", "got a binary message that was not announced; wanted JSON")
        text = message["text"]
        if len(text) > self._config.max_text:
            raise ServeError("too_large", f"got a message of {len(text)} letters; wanted at most {self._config.max_text}")
        return messages.parse_request(text)

    async def receive_bytes(self, size: int) -> bytes:
        """The snapshot that follows; errors as for `receive`."""
        message = await self._next_message()
        data = message.get("bytes")
        if data is None or len(data) != size:
            raise ServeError("bad_message", f"got no binary message of {size} bytes after restore; send the snapshot there")
        return data

    async def send(self, reply: messages.Reply) -> None:
        """Sends a message.

        Raises:
            ServeError: The client does not read.
        """
        await self._patiently(self._socket.send_text(reply.model_dump_json(exclude_none=True)))

    async def send_packet(self, packet: bytes) -> None:
        """Sends a packet; errors as for `send`."""
        await self._patiently(self._socket.send_bytes(packet))

    async def close(self, error: ServeError) -> None:
        """Closes the connection; errors as for `send`."""
        await self._patiently(self._socket.close(error.close_code, error.code))

    async def _next_message(self) -> Any:
        while True:
            try:
                async with asyncio.timeout(self._config.idle_seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._is_quiet():
                    continue
                raise ServeError("idle", f"nothing came in {self._config.idle_seconds:g} s; connect again") from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            self._rate.count()
            return message

    async def _patiently(self, sending: Any) -> None:
        """Waits for a client that does not read, but not for ever."""
        try:
            async with asyncio.timeout(self._config.stall_seconds):
                await sending
        except TimeoutError:
            seconds, self.is_stuck = self._config.stall_seconds, True
            raise ServeError("too_slow", f"nothing was read in {seconds:g} s; read faster, or give less credit") from None
