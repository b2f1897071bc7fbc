"""A lone server of its own within one node: acknowledged acts outlive a power loss, and what ends starts again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from lab.replica.emr.people import secret_of
from lab.replica.lone.server import LAZY
from lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.bench import Lab
    from lab.nodes.containers import Ran

NODE = "quorum"
NAME = "essai"
FOLDER = f"/srv/{NAME}"
ADDRESS = "10.99.0.10"
WITHIN = 30.0  # seconds; ten times what a start with recovery takes on a busy machine
_NURSE = """
import http.client, json, sys
def ask(method, path, body=None, **headers):
    link = http.client.HTTPConnection(sys.argv[1], timeout=3)
    link.request(method, path, body and json.dumps(body), headers)
    answer = link.getresponse()
    return answer.status, json.loads(answer.read())
if sys.argv[2] == "health":
    print(json.dumps(ask("GET", "/health")))
else:
    _, signed = ask("POST", "/sessions", {"clinician": "c001", "secret": sys.argv[3]}, **{"X-Access": "s"})
    known = {"Authorization": "Bearer " + signed["token"], "X-Access": sys.argv[2]}
    act = {"patient": "p0001", "kind": "pansement", "note": "Plaie propre."}
    print(json.dumps(ask("PUT", "/acts/" + sys.argv[2], act, **known)))
"""


class Lone:
    """The server's program in a network namespace of its own, and a nurse beside it."""

    def __init__(self, run: Callable[..., Ran], defects: tuple[str, ...]) -> None:
        self._run = run
        self._pid = ""
        self._defects = defects

    def shell(self, line: str) -> Ran:
        return self._run("timeout", "60", "sh", "-c", line)

    def build(self) -> None:
        told = {
            "server": NAME,
            "address": "10.99.0.11/24",
            "virtual_address": f"{ADDRESS}/24",
            "folder": FOLDER,
            "template": "/opt/template/data",
            "secret": "s",
            "defects": self._defects,
        }
        lines = (
            f"mkdir -p {FOLDER}",
            f"echo {shlex.quote(json.dumps(told))} > /run/{NAME}.json",
            f"ip netns add {NAME}",
            f"ip -n {NAME} link add eth0 type veth peer name eth1",
            *(f"ip -n {NAME} link set {link} up" for link in ("lo", "eth0", "eth1")),
        )
        for line in lines:
            said = self.shell(line)
            assert said.status == 0, f"{line}: {said.output}"
        self.start()

    def start(self) -> None:
        """Start the program; returns when the server serves."""
        begin = f"exec ip netns exec {NAME} setsid python3 -m replica.lone.server /run/{NAME}.json"
        self._pid = self.shell(f"({begin}) >>/run/{NAME}.log 2>&1 </dev/null & echo $!").output.strip()
        wait_until(lambda: self.health() is not None, within=WITHIN, because=self.words)

    def stop(self, *, cleanly: bool) -> None:
        """Ask the program to end, or kill its process group as a power loss does; wait until nothing is left."""
        self._run("kill", *(("-TERM", self._pid) if cleanly else ("-KILL", "--", f"-{self._pid}")))
        wait_until(lambda: not self.processes(), within=WITHIN, because=self.words)

    def end(self) -> None:
        self._run("kill", "-KILL", "--", f"-{self._pid}")
        self.shell(f"ip netns delete {NAME}; rm -rf {FOLDER} /run/{NAME}.*")

    def processes(self) -> str:
        return self.shell(f"ps -ww -eo pid=,args= | grep '[/]{NAME}[./]' | grep -v defunct").output

    def health(self) -> dict[str, Any] | None:
        said = self._nurse("health")
        return dict(said[1]) if said is not None and said[0] == 200 else None

    def record(self, number: str) -> int:
        """Record an act of care; returns the status of the answer, 0 for none."""
        said = self._nurse(number)
        return int(said[0]) if said is not None else 0

    def held(self) -> dict[str, int]:
        """The acts that the database holds, straight through SQL."""
        said = self.shell(f"python3 -m replica.emr.readback /run/{NAME}.json --prefix n-")
        found: dict[str, int] = json.loads(said.output)["acts"]
        return found

    def words(self) -> str:
        return self.shell(f"tail -n 5 /run/{NAME}.log {FOLDER}/logs/*.log").output

    def _nurse(self, number: str) -> list[Any] | None:
        command = f"ip netns exec {NAME} python3 -c {shlex.quote(_NURSE)} {ADDRESS} {number} {secret_of('c001')}"
        said = self.shell(command)
        found: list[Any] | None = json.loads(said.output) if said.status == 0 else None
        return found


@pytest.fixture
def lone(tiny: Lab, request: pytest.FixtureRequest) -> Iterator[Lone]:
    server = Lone(lambda *command: tiny.nodes.run(NODE, *command), getattr(request, "param", ()))
    try:
        server.build()
        yield server
    finally:
        server.end()


def test_an_acknowledged_act_outlives_a_power_loss_and_a_clean_stop(lone: Lone) -> None:
    assert lone.health() == {"member": NAME, "database": "primary", "synced": True, "group_size": 1}
    assert lone.record("n-1") == 201

    lone.stop(cleanly=False)
    lone.start()
    assert lone.held() == {"n-1": 1}
    assert lone.record("n-1") == 200, "asked again, it is there already"
    assert lone.record("n-2") == 201

    lone.stop(cleanly=True)
    assert ADDRESS not in lone.shell(f"ip -n {NAME} address").output, "a clean stop gives the address away"
    lone.start()
    assert lone.held() == {"n-1": 1, "n-2": 1}


@pytest.mark.parametrize("lone", [(LAZY,)], indirect=True)
def test_an_act_acknowledged_before_it_was_written_is_missed(lone: Lone) -> None:
    """A planted defect: the test above would see a database that is not durable."""
    assert lone.record("n-1") == 201

    lone.stop(cleanly=False)
    lone.start()
    assert lone.held() == {}


@pytest.mark.parametrize("program", ["mariadbd", "replica.emr.serve"])
def test_what_ends_within_the_server_is_started_again(lone: Lone, program: str) -> None:
    assert lone.record("n-1") == 201
    found = [line.split()[0] for line in lone.processes().splitlines() if program in line and "setpriv" not in line]
    assert found

    lone.shell(f"kill -9 {' '.join(found)}")
    wait_until(lambda: set(found).isdisjoint(lone.processes().split()), within=WITHIN, because=lone.words)
    wait_until(lambda: lone.health() is not None, within=WITHIN, because=lone.words)
    wait_until(lambda: lone.record("n-2") in (200, 201), within=WITHIN, because=lone.words)

    assert lone.held() == {"n-1": 1, "n-2": 1}
