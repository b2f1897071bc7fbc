"""Who may use a volume: one host at a time, the one with the newest session; and readers, who fence nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .requests import OwnFlush
from .work import Host

if TYPE_CHECKING:
    from .volume import Volume
    from .work import HostLink


class Hosts:
    """The connections of hosts to a volume.

    Attributes:
        session: the highest number that was ever admitted here.
        current: the host that may write.
        host: its name, as the arbiters have it.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.session = 0
        self.current: Host | None = None
        self.host = ""
        self._readers: list[Host] = []

    def admit(self, link: HostLink, number: int, now: float) -> Host:
        """Let a host in and cut the one before it.

        It is served when all that the older ones asked for has ended, and is durable: what it reads first will never
        be taken back, even if all arrays lose their power.
        """
        if self.current is not None:
            self.current.cut()
        self.session = number
        host = self.current = Host(link)
        host.open = True
        gates, flow = self._volume.flow.gates, self._volume.flow

        def ready(now: float) -> None:
            host.admitted = True
            gates.done(now)

        gates.ask(lambda now: flow.mirror(OwnFlush(flow, ready), now), now)
        return host

    def admit_reader(self, link: HostLink) -> Host:
        """Let somebody in who only reads."""
        host = Host(link)
        host.open = host.admitted = True
        self._readers = [*(reader for reader in self._readers if reader.open), host]
        return host

    def gone(self, host: Host) -> None:
        """A host closed its connection, or lost it."""
        host.open = False
        if host is self.current:
            self.current = None

    def cut(self) -> None:
        """Cut them all."""
        for host in (*self._readers, *([self.current] if self.current else [])):
            host.cut()
        self._readers, self.current = [], None
