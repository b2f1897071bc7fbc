"""The figures of mirrored storage: `python -m tests.benchmarks.bench_storage [--only PART,…] [--repeat N]`.

In a lab of its own, without the hospital's servers: `tiny`, with one server that runs nowhere and whose volume of 1 GiB
this program uses from a host node (path, virtualiser, two arrays, real arbiters). Parts:

- commits: MariaDB with the pair's settings, alone, on the volume and on a disk of the same node that forgets as an
  array does, in turn. Flush counters prove that each commit was flushed. To reach: 60 % for one client.
- freezes: a block is written and flushed on the volume every 5 ms while an array loses its power (to reach: 0.5 s) or
  hangs (2 s), a virtualiser loses its power (4 s), a cable of two falls silent (no copy may be lost); and while the
  copies are compared.
- migration: the volume, three quarters of it written, goes to a new array and back, while a block is written and
  flushed every 5 ms. To reach: 60 s, and no write over the accepted freeze of 5 s.
- resync: of 5 % of the grains, written while an array was off. To reach: 5 s from its session on.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import struct
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab.bench import Lab
from lab.nodes.specs import image_of
from lab.plan.files import loads
from lab.replica.pair.config import ServerConfig
from lab.replica.pair.galera import server_cnf
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.plan import Plan

SERVER, HOST = "banc", "esx-11"
SIZE = 1 << 30
FILL = SIZE // 4 * 3
DIRTY = SIZE // (64 << 10) // 20  # grains: 5 %
_INSIDE = (Path(__file__).parent / "storage_inside.py").read_text(encoding="utf-8")
_NOTE = struct.Struct("<QQ")
_QUERIES = {1: 5000, 4: 12000}  # by clients: about two seconds each
_INSERT = "INSERT INTO t (v) VALUES (REPEAT('x', 120))"
_REACH = {
    "commits of 1 client, volume / disk, %": (60.0, "at least"),
    "freeze, array without power, s": (0.5, "at most"),
    "freeze, array hung, s": (2.0, "at most"),
    "freeze, virtualiser without power, s": (4.0, "at most"),
    "silent cable of two, copies lost": (0.0, "at most"),
    "migration under load, s": (60.0, "at most"),
    "migration under load, longest write, s": (5.0, "at most"),
    "resync of 5 %, from the array's session, s": (5.0, "at most"),
}


def plan() -> Plan:
    """The tiny lab without its services, with a server whose volume nobody uses but us."""
    told = yaml.safe_load((resources.files("lab.plan") / "shipped/tiny.yaml").read_text(encoding="utf-8"))
    for section in ("services", "sites", "timers", "ha"):
        del told[section]
    told["name"] = "storage-bench"
    for number, room in ((1, "salle-1"), (2, "salle-2")):  # two, as in the hospital's plan
        told["rooms"][room]["switches"]["storage"] = [f"sw-storage-{number}a", f"sw-storage-{number}b"]
    told["cables"] = {name: cable for name, cable in told["cables"].items() if not name.startswith("rocade")}
    one = {"continuity": "restart", "prefers": "salle-1", "cpu": 1, "memory": "1 GiB", "boot": "10 s"}
    told["servers"] = {SERVER: {**one, "volume": "1 GiB"}}
    return loads(yaml.safe_dump(told))


class Bench(Lab):
    """A lab that is whole although nobody has the volume open yet."""

    def ailments(self) -> list[str]:
        """All but that."""
        return [found for found in super().ailments() if found != f"volume {SERVER}: no host has it open"]


@dataclass
class Disk:
    """A disk of the host node, and what runs on it.

    Args:
        lab: where.
        name: the volume's, or any for a local one.
        mirrored: whether it is the volume, or the node's own.
    """

    lab: Lab
    name: str
    mirrored: bool
    pid: int = field(default=0, init=False)

    @property
    def mount(self) -> str:
        """Where its file system is, for what runs on it."""
        return f"/srv/{self.name}"

    @property
    def told(self) -> dict[str, Any]:
        """How to get at it."""
        if self.mirrored:
            nodes = {name: (str(self.lab.plan.address(name, "storage").ip), 10809) for name in ("svc-1", "svc-2")}
            return {"name": self.name, "mount": self.mount, "nodes": nodes}
        return {"name": self.name, "mount": self.mount, "size": SIZE, "template": f"/opt/images/{image_of(SIZE)}"}

    def inside(self, *words: str) -> str:
        """Run a command in the node."""
        return self.lab.run_in(HOST, *words)

    def verb(self, verb: str, told: dict[str, Any]) -> tuple[str, ...]:
        """The command of our own program there."""
        return "python3", "-c", _INSIDE, verb, json.dumps(told)

    @contextmanager
    def running(self, words: tuple[str, ...]) -> Iterator[None]:
        """Run a command in the background of the node; in the end it gets SIGTERM and is waited for."""
        shell = f'setsid "$@" >/srv/{self.name}.log 2>&1 </dev/null & echo $!'
        pid = self.inside("sh", "-c", shell, "sh", *words).strip()
        try:
            yield
        finally:
            self.inside("sh", "-c", f"kill -TERM {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.05; done; true")

    def carrying(self, *program: str) -> Any:  # noqa: ANN401 - what contextmanager makes
        """Run a program on it."""
        return self.running(self.verb("carry", {**self.told, "program": program}))

    def flushes(self) -> int:
        """How often it made durable what it has, by flush or durable write: of two arrays, the one that did less."""
        places = [("baie-1", "array"), ("baie-2", "array")] if self.mirrored else [(HOST, f"disk-{self.name}.status")]
        told = [self.lab.nodes.ask(*place) for place in places]
        return min(int(one["flushes"]) + int(one["durable_writes"]) for one in told)


# -- commits -------------------------------------------------------------------------------------------------------


class Database:
    """MariaDB with the settings of the pair, alone."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        nowhere = IPv4Interface("127.0.0.1/8")
        self._config = ServerConfig(
            server=disk.name,
            address=nowhere,
            twin="none",
            twin_address=IPv4Address("127.0.0.1"),
            arbitrator_address=IPv4Address("127.0.0.1"),
            virtual_address=nowhere,
            folder=Path("/run") / f"db-{disk.name}",
            template=Path("/none"),
            secret="",
            disk=Path(disk.mount),
        )

    def prepare(self) -> None:
        """Write its configuration."""
        folder = self._config.folder
        script = 'mkdir -p "$1/tmp" "$1/logs" && printf %s "$2" >"$1/my.cnf" && chown -R mysql "$1"'
        self._disk.inside("sh", "-c", script, "sh", str(folder), server_cnf(self._config))

    @property
    def program(self) -> tuple[str, ...]:
        """Its command line."""
        alone = ("--wsrep-on=OFF", "--wsrep-provider=none", "--skip-networking")
        return "nice", "-n", "-10", "mariadbd", f"--defaults-file={self._config.folder}/my.cnf", *alone

    def ask(self, statement: str) -> str:
        """The answer to a statement."""
        return self._disk.inside("mariadb", f"--socket={self._config.socket}", "-N", "-e", statement).strip()

    def begin(self) -> None:
        """Wait until it answers, and make an empty table."""
        where = f"test -S {self._config.socket}"
        self._disk.inside("sh", "-c", f"for n in $(seq 600); do {where} && exit; sleep 0.1; done; exit 1")
        self.ask(
            "CREATE DATABASE IF NOT EXISTS bench; DROP TABLE IF EXISTS bench.t;"
            "CREATE TABLE bench.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(200))"
        )

    def commits(self, clients: int, queries: int) -> float:
        """Commits a second of so many clients, each of which inserts and commits row by row."""
        slap = (
            *("mariadb-slap", f"--socket={self._config.socket}", "--create-schema=bench", "--no-drop", "--csv"),
            *(f"--concurrency={clients}", f"--number-of-queries={queries}"),
            f"--query={_INSERT}",
        )
        before, flushes = int(self.ask("SELECT COUNT(*) FROM bench.t")), self._disk.flushes()
        row = next(csv.reader([self._disk.inside(*slap).strip().splitlines()[-1]]))
        done = int(self.ask("SELECT COUNT(*) FROM bench.t")) - before
        flushed = self._disk.flushes() - flushes
        assert done == queries, f"{done} rows instead of {queries}"
        assert clients > 1 or flushed >= done, f"{done} commits and {flushed} flushes: not every commit was flushed"
        return done / float(row[2])


def commits(lab: Lab, repeat: int, note: Callable[[str, float], None]) -> None:
    """Both disks in turn, several times."""
    disks = [Disk(lab, SERVER, mirrored=True), Disk(lab, "local", mirrored=False)]
    for turn in range(repeat):
        rates: dict[tuple[bool, int], float] = {}
        for disk in disks if turn % 2 else reversed(disks):
            database = Database(disk)
            database.prepare()
            with disk.carrying(*database.program):
                database.begin()
                database.commits(1, _QUERIES[1] // 5)
                for clients, queries in _QUERIES.items():
                    flushes = disk.flushes()
                    rates[disk.mirrored, clients] = rate = database.commits(clients, queries)
                    what = f"commits of {clients} client{'s' * (clients > 1)}, {'volume' if disk.mirrored else 'disk'}"
                    note(f"{what}, 1/s", rate)
                    note(f"{what}, flushes per commit", (disk.flushes() - flushes) / queries)
        for clients in _QUERIES:
            share = 100 * rates[True, clients] / rates[False, clients]
            note(f"commits of {clients} client{'s' * (clients > 1)}, volume / disk, %", share)


# -- freezes -------------------------------------------------------------------------------------------------------


class Pulse:
    """The writes of the pulse, as they were."""

    def __init__(self, lab: Lab) -> None:
        self._path = lab.enclosure.proc(lab.nodes.nodes[HOST].pid) / "root/run/pulse"

    def writes(self, since: int) -> list[tuple[int, int]]:
        """Beginning and end, in monotonic ns, of those that ended after an instant."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return []
        whole = raw[: len(raw) // _NOTE.size * _NOTE.size]
        return [note for note in _NOTE.iter_unpack(whole) if note[1] > since]

    def longest(self, since: int) -> float:
        """Seconds that the slowest took."""
        return max((end - begun) / 1e9 for begun, end in self.writes(since))

    def goes_on(self, since: int, quietly: float = 1.0) -> bool:
        """Whether writes have been finished for so many seconds after one that was stuck at that instant or later."""
        found = self.writes(since)
        return bool(found) and found[-1][1] - since > quietly * 1e9 and time.monotonic_ns() - found[-1][1] < 100_000_000


def _copies(lab: Lab) -> dict[str, Any]:
    for node in lab.storage.status()["virtualisers"].values():
        if node and node["active"]:
            found: dict[str, Any] = node["volumes"][SERVER]
            return found
    return {}


def _outage(lab: Lab, pulse: Pulse, begin: Callable[[], object], end: Callable[[], object], least: float) -> float:
    """Seconds of the longest write of a fault that lasts `least` seconds and until the volume is served again."""
    since = time.monotonic_ns()
    begin()
    wait_until(partial(pulse.goes_on, since, least), within=30, because="the volume is not served")
    found = pulse.longest(since)
    end()
    lab.wait_whole()
    return found


def freezes(lab: Lab, repeat: int, note: Callable[[str, float], None]) -> None:
    """Each fault several times, and the comparison of the copies."""
    disk, pulse, levers = Disk(lab, SERVER, mirrored=True), Pulse(lab), lab.levers
    words = disk.verb("pulse", {"file": f"{disk.mount}/pulse", "notes": "/run/pulse"})
    with disk.carrying(*words):
        wait_until(partial(pulse.goes_on, time.monotonic_ns()), within=30, because="the volume is not served")
        quiet = time.monotonic_ns()
        wait_until(partial(pulse.goes_on, quiet, 3.0), within=10, because="the volume is not served")
        spans = sorted((end - begun) / 1e6 for begun, end in pulse.writes(quiet))
        note("write and flush, median, ms", statistics.median(spans))
        note("write and flush, slowest of 3 s, ms", spans[-1])
        for turn in range(repeat):
            array = ["baie-1", "baie-2"][turn % 2]
            off, on = partial(levers.power_off, [array]), partial(levers.power_on, [array])
            note("freeze, array without power, s", _outage(lab, pulse, off, on, 1.0))
            stop, wake = partial(levers.hang, [array]), partial(levers.wake, [array])
            note("freeze, array hung, s", _outage(lab, pulse, stop, wake, 3.0))
            node = str(lab.storage.active)
            off, on = partial(levers.power_off, [node]), partial(levers.power_on, [node])
            note("freeze, virtualiser without power, s", _outage(lab, pulse, off, on, 4.0))
            ends = [end for strand in lab.layout.strands_of(["fibre-a", "fibre-b"][turn % 2]) for end in strand.ends]
            before, since = _copies(lab)["generation"], time.monotonic_ns()
            hush, heal = partial(levers.silence, ends, 60), partial(levers.unsilence, ends)
            note("silent cable of two, freeze, s", _outage(lab, pulse, hush, heal, 2.0))
            note("silent cable of two, copies lost", _copies(lab)["generation"] - before)
            note("silent cable mended, freeze, s", pulse.longest(since))
        for _ in range(min(repeat, 3)):
            since = time.monotonic_ns()
            note("comparison of 1 GiB, writes held as the node says, s", lab.storage.verify(SERVER).volumes[0].frozen)
            wait_until(partial(pulse.goes_on, time.monotonic_ns(), 0.2), within=10, because="writes are still held")
            note("comparison of 1 GiB, longest write, s", pulse.longest(since))


# -- migration -----------------------------------------------------------------------------------------------------


def migrations(lab: Lab, repeat: int, note: Callable[[str, float], None]) -> None:
    """To the new array, and back to the old one, which by then is as new to the volume."""
    disk, pulse, levers = Disk(lab, SERVER, mirrored=True), Pulse(lab), lab.levers
    words = disk.verb("pulse", {"file": f"{disk.mount}/pulse", "notes": "/run/pulse", "fill": FILL})
    with disk.carrying(*words):
        wait_until(partial(pulse.goes_on, time.monotonic_ns()), within=120, because="the volume is not filled")
        for _ in range(repeat):
            since = time.monotonic_ns()
            note("migration under load, s", _seconds(partial(levers.copies.replace, "baie-1")))
            note("migration under load, longest write, s", pulse.longest(since))
            since = time.monotonic_ns()
            levers.copies.restore(["baie-1"])
            note("migration under load, s", _seconds(lab.wait_whole))
            note("migration under load, longest write, s", pulse.longest(since))
            assert lab.storage.verify(SERVER).identical


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


# -- resync --------------------------------------------------------------------------------------------------------


def resyncs(lab: Lab, repeat: int, note: Callable[[str, float], None]) -> None:
    """Write in 5 % of the grains while an array is off, then give it power back. Spoils the volume's file system."""
    disk, levers = Disk(lab, SERVER, mirrored=True), lab.levers
    socket = f"/run/bascule/raw-{SERVER}.sock"
    with disk.running(disk.verb("path", {**disk.told, "socket": socket})):
        for turn in range(repeat):
            wait_until(lambda: bool(_copies(lab)["session"]), within=30, because="the volume is not served")
            array = ["baie-2", "baie-1"][turn % 2]
            levers.power_off([array])
            disk.inside(*disk.verb("dirty", {"socket": socket, "grains": DIRTY, "seed": turn}))
            marked = _copies(lab)["dirty_grains"]
            assert marked >= DIRTY, f"{marked} grains are dirty instead of {DIRTY}"
            begun = time.monotonic()
            levers.power_on([array])
            _until(lab, array, "connected")
            connected = time.monotonic()
            _until(lab, array, "in_sync")
            note("resync of 5 %, grains", marked)
            note("resync of 5 %, from the array's session, s", time.monotonic() - connected)
            note("resync of 5 %, from power-on, s", time.monotonic() - begun)
            lab.wait_whole()
        assert lab.storage.verify(SERVER).identical


def _until(lab: Lab, array: str, state: str) -> None:
    wait_until(
        lambda: bool(_copies(lab)["copies"][array][state]), within=60, because=f"{array} is not {state}", every=0.005
    )


PARTS = {"commits": (commits, 3), "freezes": (freezes, 5), "migration": (migrations, 3), "resync": (resyncs, 3)}


def main() -> None:
    """Measure, print, keep every value."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--repeat", type=int, help="times; by default 3, faults 5")
    parser.add_argument("--out", type=Path, default=Path("benchmarks-storage.json"))
    options = parser.parse_args()
    figures: dict[str, list[float]] = {}
    load = os.getloadavg()[0]
    with Bench.up(plan(), name=f"bench-{os.getpid()}") as lab:
        for name, (part, times) in PARTS.items():
            if name in options.only.split(","):
                part(lab, options.repeat or times, lambda what, value: figures.setdefault(what, []).append(value))
    width = max(map(len, figures))
    print(f"load before: {load:.2f}")  # noqa: T201 - a program
    print(f"{'figure':{width}}   median  (lowest - highest, count)  to reach")  # noqa: T201 - a program
    for name, values in figures.items():
        reach = "{1} {0:g}".format(*_REACH[name]) if name in _REACH else ""
        span = f"({min(values):.2f} - {max(values):.2f}, {len(values)})"
        print(f"{name:{width}} {statistics.median(values):8.2f}  {span:24} {reach}")  # noqa: T201 - a program
    options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
