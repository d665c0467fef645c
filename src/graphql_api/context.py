"""What a request carries: who asks, which business time it is, and batches of reads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from graphql_api.edge.documents import Document
from graphql_api.kit.graphql.relations import Load
from graphql_api.kit.time import Clock
from graphql_api.viewer import Viewer

T = TypeVar("T")


class Context:
    """One request's context; nothing in it outlives the request.

    What is put into `extensions` stands in the answer's.
    """

    def __init__(
        self,
        viewer: Viewer,
        clock: Clock,
        request_id: str = "-",
        document: Document | None = None,
        key: str | None = None,
    ) -> None:
        self.viewer = viewer
        self.clock = clock
        self.request_id = request_id
        self.document = document
        self.key = key
        self.extensions: dict[str, Any] = {}
        self._loaders: dict[Load, DataLoader[Any, Any]] = {}

    def load(self, load: Load, key: Any) -> Awaitable[Any]:
        """The item of `key`, or None, read in one batch with the keys asked at the same time.

        Any repository function that takes keys and answers in key order is a `load`.
        """
        if load not in self._loaders:
            self._loaders[load] = DataLoader(load_fn=_off_thread(load))
        return self._loaders[load].load(key)

    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call a synchronous function off the event loop."""
        return await asyncio.to_thread(function, *args, **kwargs)


def _off_thread(load: Load) -> Callable[[list[Any]], Awaitable[Sequence[Any]]]:
    async def batch(keys: list[Any]) -> Sequence[Any]:
        return await asyncio.to_thread(load, keys)

    return batch


Info: TypeAlias = strawberry.Info[Context, None]
