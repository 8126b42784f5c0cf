"""`Questions`: requests of a program that wait for the server's answers."""

import asyncio
from typing import Any


class Questions:
    """Requests by number, each with the future of who waits for its answer."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[dict[str, Any], asyncio.Future[Any]]] = {}
        self._number = 0

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Those that are not answered yet."""
        return [request for request, _ in self._waiting.values()]

    def next_number(self) -> int:
        """A number that no message had before."""
        self._number += 1
        return self._number

    def put(self, request: dict[str, Any]) -> tuple[int, dict[str, Any], asyncio.Future[Any]]:
        """The number of a request, the message that is to be sent, and what its answer becomes of."""
        number = self.next_number()
        self._waiting[number] = request | {"id": number}, asyncio.get_running_loop().create_future()
        return number, *self._waiting[number]

    def drop(self, number: int) -> None:
        """Nobody waits for an answer any more."""
        self._waiting.pop(number, None)

    def first(self, kind: str) -> int | None:
        """The number of the first request of a type that waits."""
        return next((number for number, (request, _) in self._waiting.items() if request["type"] == kind), None)

    def settle(self, number: int | None, result: Any) -> None:
        """Gives who asked an answer or an error, if someone still waits for it."""
        _, waiting = self._waiting.pop(number, (None, None)) if number is not None else (None, None)
        if waiting is None or waiting.done():
            return
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def fail(self, error: Exception) -> None:
        """Nobody will answer any more."""
        for number in list(self._waiting):
            self.settle(number, ConnectionError(str(error)))
