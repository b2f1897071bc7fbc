"""What may be tuned: the vendor's timers, the policies, and a few patiences of our own."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

_TIMER = {"timer": True}


def _timer(seconds: float) -> float:
    """A timer of the vendor: `Settings.scaled` multiplies it."""
    found: float = field(default=seconds, metadata=_TIMER)
    return found


@dataclass(frozen=True)
class Settings:
    """Timers in seconds, scaled already; the defaults are the vendor's (`docs/cluster.md`).

    Args:
        heartbeat: between two beats of a host; also between two beats of the master in the store.
        host_dead: silence after which a host that never beat in storage is dead.
        host_dead_with_storage: the same for one that did.
        new_master: silence of the master after which the first candidate takes its place.
        restarts_by_new_master: … after which the new one may declare hosts dead.
        isolation_declared: a host that hears nobody and reaches no isolation address is isolated.
        isolation_response: … and acts on it, by its policy.
        master_isolation_declared: the same for a master.
        master_isolation_response: the same for a master.
        apd_timeout: a server's requests are held for so long: all paths are down.
        vmcp_delay: … and for so much longer: the server is stopped.
        attempts: when a server that failed on a host is tried anew, after the first failure.
        guest_shutdown: a server that is asked to stop gets so long before its power is cut.
        guest_silent: a guest without a sign is hung after so long …
        guest_io_window: … if it did no I/O for so long either.
        quick_failure: a server that crashes within so long of its boot failed quickly.
        corrected_after: quiet for so long after a host returned: rules are corrected.
        power_ons: servers that are powered on at once on a host; how long they then boot is their own affair.
        isolation_policy: `leave` the servers on, or `stop` them.
        vmcp_policy: `conservative` (stop if another host sees the storage), or `off`.
        admission_cpu: share of the cluster's cores that first starts must leave free; restarts may use it.
        admission_memory: the same of its memory; 0 admits everything.
        read_every: seconds between two looks at the record; not scaled.
        master_reads_every: the same for a master.
        storage_silent: seconds without an answer of the storage after which a host does not see it; longer than a
            take-over between virtualisation nodes, and not scaled.
        patience: seconds for the hypervisor to show what it was told; not scaled.
        defects: planted defects, by name.
    """

    heartbeat: float = _timer(1.0)
    host_dead: float = _timer(15.0)
    host_dead_with_storage: float = _timer(18.0)
    new_master: float = _timer(25.0)
    restarts_by_new_master: float = _timer(35.0)
    isolation_declared: float = _timer(30.0)
    isolation_response: float = _timer(60.0)
    master_isolation_declared: float = _timer(5.0)
    master_isolation_response: float = _timer(35.0)
    apd_timeout: float = _timer(140.0)
    vmcp_delay: float = _timer(180.0)
    attempts: tuple[float, ...] = field(default=(0.0, 120.0, 360.0, 840.0, 1800.0), metadata=_TIMER)
    guest_shutdown: float = _timer(300.0)
    guest_silent: float = _timer(30.0)
    guest_io_window: float = _timer(120.0)
    quick_failure: float = _timer(60.0)
    corrected_after: float = _timer(30.0)
    power_ons: int = 32
    isolation_policy: str = "leave"
    vmcp_policy: str = "conservative"
    admission_cpu: float = 0.0
    admission_memory: float = 0.0
    read_every: float = 0.5
    master_reads_every: float = 0.25
    storage_silent: float = 5.0
    patience: float = 5.0
    defects: frozenset[str] = frozenset()

    @classmethod
    def scaled(cls, scale: float, **others: Any) -> Settings:  # noqa: ANN401 - any field but a timer
        """The vendor's timers, all multiplied."""
        scaled: dict[str, Any] = {}
        for one in fields(cls):
            if one.metadata == _TIMER:
                value: Any = one.default
                scaled[one.name] = tuple(part * scale for part in value) if isinstance(value, tuple) else value * scale
        return replace(cls(), **(scaled | others))

    @property
    def fresh(self) -> float:
        """A host heard within so long is there, for anything that needs it now."""
        return 3.5 * self.heartbeat

    @property
    def stagger(self) -> float:
        """Between two candidates for mastership."""
        return 2.0 * self.heartbeat

    @property
    def succession(self) -> float:
        """Seconds until a new master restarts what is lost: the former one died, or resigned as it saw no storage."""
        settles = self.restarts_by_new_master - self.new_master
        return max(self.restarts_by_new_master, self.storage_silent + self.master_isolation_declared + settles)

    @property
    def vmcp(self) -> float:
        """Seconds of held requests after which a server is stopped."""
        return self.apd_timeout + self.vmcp_delay
