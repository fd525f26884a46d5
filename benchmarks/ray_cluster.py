"""Tasks on an existing Ray cluster, or on one of this machine for `local`.

Ray restarts a task whose worker died, so a result comes exactly once or an error is raised. The
workers need the same Midline and, for what they generate, the same models. Nothing is sent to
anybody but the cluster: Ray's usage statistics are switched off.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from midline.model.errors import MidlineError

LOCAL = "local"
CONNECT_SECONDS = 5.0
RETRIES = 5
"""Times that a task is started again after its worker died."""
IN_FLIGHT = 2
"""Tasks handed out for each processor of the cluster, so that none waits for work."""
T = TypeVar("T")
R = TypeVar("R")


def map_on_cluster(
    address: str, function: Callable[[T], R], items: Sequence[T], processors: int | None = None
) -> Iterator[R]:
    """`function` of each item, in the order in which they are done.

    processors: of a local cluster, None for all. Raises MidlineError: Ray is not installed, no
    cluster answers at `address`, or a task failed, with the sentence of its error.
    """
    with connected(address, processors) as ray:
        task = ray.remote(max_retries=RETRIES, num_cpus=1)(function)
        most = IN_FLIGHT * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = list(reversed(items))
        running: list[Any] = []
        while waiting or running:
            while waiting and len(running) < most:
                running.append(task.remote(waiting.pop()))
            done, running = ray.wait(running, num_returns=1)
            yield _result(ray, done[0])


@contextmanager
def connected(address: str, processors: int | None = None) -> Iterator[Any]:
    """Ray, connected to the cluster at `address`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MidlineError(
            "--ray needs the package ray; `pip install 'midline[ray]'` brings it"
        ) from error
    _check_reachable(address)
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address == LOCAL:
            ray.init(num_cpus=processors, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError, SystemExit) as error:
        raise _no_cluster(address) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raises MidlineError where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise _no_cluster(address) from error


def _no_cluster(address: str) -> MidlineError:
    return MidlineError(
        f"no Ray cluster answers at {address}; start one with `ray start --head`, or give "
        "--ray local"
    )


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise MidlineError(f"a task on the cluster failed: {cause}") from error
    except ray.exceptions.RayError as error:
        raise MidlineError(
            f"the cluster lost a task {RETRIES} times ({type(error).__name__}); look at its "
            "workers and run the same command again to go on"
        ) from error


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in pieces of `size`."""
    return [items[at : at + size] for at in range(0, len(items), size)]
