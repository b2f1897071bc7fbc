"""Galera in plain values: tuning, configuration, positions and what its log says. No process, no socket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .children import at
from .mariadb import cnf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address

    from .config import ArbitratorConfig, ServerConfig

GROUP = "dopasoins"
PORT = 4567
STATE_PORT = 4569  # ours: where a member tells its twin where it stands (Galera uses 4444, 4567 and 4568)

# One set for both members and the arbitrator: S4 of the feasibility trial (November 2026), and one more. Three rules:
# - peer_timeout well under suspect_timeout: the arbitrator relays before the silent peer is evicted. At equal values
#   the evicted peer came back through the relay and froze everybody for 11-13 s.
# - install_timeout above what a returning node takes: at 2 s all members fell apart for 7-12 s.
# - join_retrans_period well under peer_timeout. While survivors gather they say nothing but these messages; at the
#   default of 1 s each took the other's silence for a dead connection and dropped it, with the message that would have
#   ended the wait. One power loss in six froze the pair for 9.7 s, the others for 2.5 s; at 0.2 s, 18 of 18 took
#   1.6-1.7 s (our trial, same load).
TUNING: Mapping[str, str] = {
    "evs.keepalive_period": "PT0.15S",
    "evs.inactive_check_period": "PT0.1S",
    "evs.suspect_timeout": "PT1.3S",
    "evs.inactive_timeout": "PT6S",
    "evs.install_timeout": "PT5S",
    "evs.join_retrans_period": "PT0.2S",
    "gmcast.peer_timeout": "PT0.6S",
}

# A member whose volume is frozen applies nothing. With Galera's own limit of 16 waiting transactions its healthy twin
# waited for as long as the freeze lasted: 29.7 s of 30 (40 commits a second). With this one nobody waited, longest gap
# 0.24 s. When the frozen member's own group communication blocks too, on its cache of transactions (after 5.7 s at 250
# commits a second), the others go on without it 1.6 s later. Evicting it on purpose costs those 1.6 s at each freeze.
_FLOW: Mapping[str, str] = {"gcs.fc_limit": "1000000", "gcs.fc_factor": "1.0"}

_WSREP = """\
wsrep_data_home_dir={home}
wsrep_on=ON
wsrep_provider=/usr/lib/galera/libgalera_smm.so
wsrep_cluster_name={group}
wsrep_cluster_address=gcomm://{peers}
wsrep_node_name={server}
wsrep_node_address={address}
wsrep_provider_options="{options}"
wsrep_sst_method=mariabackup
wsrep_sst_auth=sst:sst
# 1: a read waits until this member has applied what the pair had committed when it was asked. With 0, 14 of 400 acts
# written on one member were missing in a record opened on the other right after; with 1 none, for 0.9 ms a read.
# 3 costs the same and protects nothing more, as the application neither updates nor deletes.
wsrep_sync_wait=1
wsrep_slave_threads=4
wsrep_retry_autocommit=4
"""

JOINED, SYNCED = 3, 4
"""What Galera calls `wsrep_local_state`; 1 is joining, 2 a donor."""

_POSITION = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(-?\d+)")
_RECOVERED = re.compile(r"WSREP: Recovered position:?\s*(\S+)")
_GRASTATE = re.compile(r"^(uuid|seqno):\s*(\S+)", re.MULTILINE)
_COMPONENT = re.compile(r"New COMPONENT: primary = (yes|no).*memb_num = (\d+)")
_UNKNOWN = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, order=True)
class Position:
    """How far a copy of the data has come: the history's name and the last transaction in it."""

    uuid: str = _UNKNOWN
    seqno: int = -1

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position written `uuid:seqno`; the unknown position if it is not."""
        found = _POSITION.fullmatch(text.strip())
        return cls(found[1], int(found[2])) if found else cls()

    @property
    def known(self) -> bool:
        """Whether a transaction can be counted from here."""
        return self.uuid != _UNKNOWN and self.seqno >= 0

    def __str__(self) -> str:
        return f"{self.uuid}:{self.seqno}"


NOWHERE = Position()


@dataclass(frozen=True)
class Component:
    """What one member sees of the group: whether it may decide, and how many are in it."""

    primary: bool
    members: int


@dataclass(frozen=True)
class Membership:
    """What a running database says of itself; the default is one that is in no primary component.

    Args:
        node: what Galera calls this life of it.
        left: it was voted out of its group, or left it because its data differed, and looks for it no more.
        group: how many are in its primary component, the arbitrator included.
        state: joined, synced or another.
        committed: the last transaction that it applied.
        waiting: transactions that it has received and not yet applied.
    """

    group: int = 0
    state: int = 0
    committed: int = -1
    waiting: int = 0
    node: str = ""
    left: bool = False

    @classmethod
    def of(cls, status: Mapping[str, str]) -> Membership:
        """The membership in these status variables."""
        if status.get("wsrep_cluster_status") != "Primary":
            return cls(left=status.get("wsrep_cluster_status") == "Disconnected")
        return cls(
            group=int(status["wsrep_cluster_size"]),
            # The rest may be missing while Galera closes its side of the group.
            state=int(status.get("wsrep_local_state", 0)),
            committed=int(status.get("wsrep_last_committed", -1)),
            waiting=int(status.get("wsrep_local_recv_queue", 0)),
            node=status.get("wsrep_gcomm_uuid", ""),
        )


OUTSIDE = Membership()


def recovered(output: str) -> Position:
    """The position that `mariadbd --wsrep-recover` printed, the last if several."""
    found = _RECOVERED.findall(output)
    return Position.parse(found[-1]) if found else Position()


def clean_position(grastate: str) -> Position:
    """The position in `grastate.dat`; known only after a clean stop."""
    found = dict(_GRASTATE.findall(grastate))
    return Position.parse(f"{found.get('uuid', '')}:{found.get('seqno', '')}")


def component(line: str) -> Component | None:
    """What this log line says about the group, if it is about that."""
    found = _COMPONENT.search(line)
    return Component(found[1] == "yes", int(found[2])) if found else None


def options(**more: str) -> str:
    """Provider options: the tuning and what one member needs besides."""
    return ";".join(f"{key}={value}" for key, value in {**TUNING, **more}.items())


def server_cnf(config: ServerConfig) -> str:
    """The `my.cnf` of a member."""
    here = str(config.address.ip)
    peers = (here, str(config.twin_address), str(config.arbitrator_address))
    return _cnf(
        config,
        peers,
        options(
            **{
                "gmcast.listen_addr": f"tcp://{here}:{PORT}",
                "ist.recv_bind": here,
                "gcache.size": "64M",
                "gcache.recover": "yes",
                "pc.recovery": "yes",
                **_FLOW,
            }
        ),
    )


def template_cnf(config: ServerConfig) -> str:
    """The `my.cnf` with which the template is filled, alone and talking to nobody."""
    return _cnf(config, (), options(**{"gmcast.listen_addr": f"tcp://127.0.0.1:{PORT}", "gcache.size": "1M"}))


def garbd(config: ArbitratorConfig) -> tuple[str, ...]:
    """The command line of the arbitrator's daemon: before others, since both members suspect it when it is late."""
    return at(
        -15,
        "garbd",
        "--group",
        GROUP,
        "--name",
        "arbitrator",
        "--address",
        f"gcomm://{_joined(config.members)}",
        "--workdir",
        str(config.folder),
        "--options",
        options(**{"gmcast.listen_addr": f"tcp://{config.address}:{PORT}"}),
    )


def _joined(addresses: tuple[IPv4Address | str, ...]) -> str:
    return ",".join(str(address) for address in addresses)


def _cnf(config: ServerConfig, peers: tuple[str, ...], provider: str) -> str:
    more = _WSREP.format(
        home=config.home,
        group=GROUP,
        peers=_joined(peers),
        server=config.server,
        address=config.address.ip,
        options=provider,
    )
    return cnf(config, more)
