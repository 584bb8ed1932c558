"""The Job runner's port: Jobs by the operator's own connection, for callers in worker threads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from .cluster import Cluster, ClusterError, Object

_SECONDS = 30.0  # longer than any call of the cluster's takes

T = TypeVar("T")


class ClusterJobs:
    """Jobs of a cluster. To be made in the event loop, to be called from other threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._loop = asyncio.get_running_loop()

    def get(self, namespace: str, name: str) -> Object | None:
        return self._wait(self._cluster.job(namespace, name))

    def create(self, namespace: str, body: Object) -> None:
        self._wait(self._cluster.create_job(namespace, body))

    def delete(self, namespace: str, name: str) -> None:
        self._wait(self._cluster.delete_job(namespace, name))

    def _wait(self, call: Coroutine[None, None, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(call, self._loop).result(_SECONDS)
        except TimeoutError as error:
            raise ClusterError("The API server did not answer a call about a Job.") from error
