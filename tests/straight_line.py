"""A line of a cluster that needs no Ray."""

from typing import Any

from framecast.serve.cluster.keeper import Keeper, Line


def straight_line(keeper: Keeper) -> Line:
    """The line to a keeper in the same event loop."""

    async def call(method: str, *arguments: Any) -> Any:
        try:
            return await getattr(keeper, method)(*arguments)
        except TimeoutError as error:
            raise ConnectionError(f"no answer to {method}") from error

    return call
