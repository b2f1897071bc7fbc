"""What the kernel's queues do to a wire: `tbf` holds a rate; `netem`, where there is one, delays and scrambles."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.errors import NotAvailableError
from lab.fabric.namespaces import inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyroute2 import IPRoute

_ROOT = 0xFFFFFFFF
_BURST = 32 * 1024  # octets; a larger frame is cut by the kernel
_UNDER_WAY = (
    100_000  # frames; netem's own 1000 would be a loss as well, at a delay of 10 ms and 100,000 frames a second
)
_QUEUE = "50ms"  # what waits longer is dropped, as a switch with small buffers does


def tbf(bits: float) -> dict[str, Any]:
    """What `tc` is told to hold a rate."""
    return {"kind": "tbf", "rate": round(bits / 8), "burst": _BURST, "latency": _QUEUE}


def netem(delay: float = 0, jitter: float = 0, duplicate: float = 0, reorder: float = 0) -> dict[str, Any]:
    """What `tc` is told to make a wire late or wild. Seconds and fractions; reordering needs a delay to overtake."""
    told: dict[str, float] = {"delay": round(delay * 1e6), "jitter": round(jitter * 1e6), "limit": _UNDER_WAY}
    told |= {"duplicate": 100 * duplicate} if duplicate else {}
    return {"kind": "netem", **told, **({"prob_reorder": 100 * reorder} if reorder else {})}


@contextmanager
def routes(home: IPRoute, namespace: Path | None) -> Iterator[IPRoute]:
    """The fabric's own socket, or one of another namespace; on the fabric's thread."""
    if namespace is None:
        yield home
        return
    from pyroute2 import IPRoute as Opened  # noqa: PLC0415 - 0.2 s that only a running lab pays

    with inside(namespace), Opened() as away:
        yield away


def put(ipr: IPRoute, interface: str, told: dict[str, Any]) -> None:
    """Give an interface this queue instead of the one it has.

    Raises:
        NotAvailableError: the kernel has no such queue.
    """
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - as above

    options = dict(told)
    kind = options.pop("kind")
    try:
        ipr.tc("replace", kind, index=ipr.link_lookup(ifname=interface)[0], **options)
    except NetlinkError as error:
        if error.code in {errno.ENOENT, errno.EOPNOTSUPP}:
            raise NotAvailableError(f"this machine's kernel has no {kind}: nothing can do that to a wire") from error
        raise


def take(ipr: IPRoute, interface: str) -> None:
    """Give an interface its first queue back; one that is gone, or never had another, needs nothing."""
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 - as above

    for index in ipr.link_lookup(ifname=interface):
        try:
            ipr.tc("del", index=index, parent=_ROOT)
        except NetlinkError as error:
            if error.code not in {errno.ENOENT, errno.ENODEV, errno.EINVAL}:
                raise
