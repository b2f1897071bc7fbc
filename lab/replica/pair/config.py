"""What a server or an arbitrator is told at its start."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AnyServer:
    """What every server with a record is told, in a pair or alone.

    Args:
        server: its name.
        address: its own address with the prefix of the servers network.
        virtual_address: address which the clients use, with its prefix.
        folder: where the server keeps its logs and what it runs from, and its database if it has no `disk`.
        template: prepared database folder that a new server without a `disk` starts from.
        secret: key of the session tokens, the same on both members of a pair.
        interface: network interface that carries `address`.
        defects: planted defects, by name.
        disk: mount point of the server's volume, which carries the database from the start; None in a lab without.
        rescue: whether room three may serve instead.
    """

    server: str
    address: IPv4Interface
    virtual_address: IPv4Interface
    folder: Path
    template: Path
    secret: str
    interface: str = "eth0"
    defects: tuple[str, ...] = ()
    disk: Path | None = None
    rescue: bool = False

    @property
    def charge(self) -> Path:
        """Where the application says whether room three serves: `taken`, or `free`."""
        return self.folder / "charge"

    def is_free(self) -> bool:
        """Whether the application has heard that room three does not serve."""
        return self.charge.exists() and self.charge.read_text(encoding="ascii") == "free"

    @property
    def datadir(self) -> Path:
        """Where the database keeps its files."""
        return (self.disk or self.folder) / "data"

    @property
    def socket(self) -> Path:
        """Unix socket of the database."""
        return self.folder / "mariadb.sock"

    @property
    def logs(self) -> Path:
        """Where each program of the server writes its log."""
        return self.folder / "logs"


@dataclass(frozen=True, kw_only=True)
class ServerConfig(AnyServer):
    """One server of the pair.

    Args:
        twin: name of the other server of the pair.
        twin_address: address of the other server.
        arbitrator_address: address of the arbitrator in room three.
        priority: which of two idle members takes the virtual address first; the higher.
        bootstrap: whether this member begins the pair on the very first start of the lab.
        wards: addresses of the wards' own equipment; a holder of the virtual address which reaches none of them, while
            its twin does, gives it up.
    """

    twin: str
    twin_address: IPv4Address
    arbitrator_address: IPv4Address
    priority: int = 100
    bootstrap: bool = False
    wards: tuple[IPv4Address, ...] = ()

    @property
    def home(self) -> Path:
        """Where Galera keeps what it writes about itself: in memory beside a volume, which may freeze."""
        return Path("/run/galera") / self.server if self.disk else self.datadir

    @property
    def begun(self) -> Path:
        """Exists once the pair has begun: beside the data folder, which a full transfer wipes, and on the same disk."""
        return (self.disk or self.folder) / "begun"


@dataclass(frozen=True)
class ArbitratorConfig:
    """The arbitrator of the pair: its own address, the two members, its own disk, and where its log goes."""

    address: IPv4Address
    members: tuple[IPv4Address, ...]
    folder: Path
    logs: Path


def read_server(path: Path) -> ServerConfig:
    """The configuration in this JSON file; keys that are not ours are left alone."""
    raw = known(ServerConfig, path)
    return ServerConfig(
        **raw
        | {
            "twin_address": IPv4Address(raw["twin_address"]),
            "arbitrator_address": IPv4Address(raw["arbitrator_address"]),
            "wards": tuple(IPv4Address(ward) for ward in raw.get("wards", ())),
        }
    )


def read_arbitrator(path: Path) -> ArbitratorConfig:
    """The configuration in this JSON file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return ArbitratorConfig(
        address=IPv4Interface(raw["address"]).ip,
        members=tuple(IPv4Address(member) for member in raw["members"]),
        folder=Path(raw["folder"]),
        logs=Path(raw["logs"]),
    )


def known(shape: type[AnyServer], path: Path) -> dict[str, Any]:
    """What this JSON file says for the fields of `shape`; those of every server already of their types."""
    names = {field.name for field in fields(shape)}
    raw = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key in names}
    return raw | {
        "address": IPv4Interface(raw["address"]),
        "virtual_address": IPv4Interface(raw["virtual_address"]),
        "folder": Path(raw["folder"]),
        "template": Path(raw["template"]),
        "defects": tuple(raw.get("defects", ())),
        "disk": Path(raw["disk"]) if raw.get("disk") else None,
        "rescue": bool(raw.get("rescue")),
    }
