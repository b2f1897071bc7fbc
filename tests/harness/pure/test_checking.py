"""What a node shows is held against what it was told to be."""

from __future__ import annotations

from typing import Any

from lab.nodes.checking import HYPERVISOR, Seen, answer, judge, question

TOLD: dict[str, Any] = {
    "name": "esx-11",
    "wires": ["servers0", "servers1"],
    "firmware": [{}],
    "programs": [],
}
PAIR = {"dopasoins-1": {"program": "replica.pair.server"}}
RUNS = "python3 -m replica.hypervisor /run/bascule/program0.json\n"
WHOLE = """\
tini -g -- python3 -m replica.node /etc/bascule/node.json
/usr/bin/python3 -m replica.cabled /run/bascule/firmware0.json
mariadbd --defaults-file=/srv/dopasoins-1/my.cnf
keepalived --dont-fork --use-file=/srv/dopasoins-1/address/keepalived.conf
/usr/bin/python3 -m replica.emr.serve /run/bascule/dopasoins-1.json
== \n\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
7: servers0@if12: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-servers
9: servers1@if13: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-servers
== dopasoins-1
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP
"""


def wrong(output: str, servers: dict[str, Any] = PAIR, programs: tuple[str, ...] = ()) -> list[str]:
    hypervisor = {"program": HYPERVISOR, "config": {"servers": servers}}
    told = {**TOLD, "programs": [hypervisor, *({"program": program} for program in programs)]}
    return [str(check) for check in judge(told, answer(RUNS + output), servers) if not check.holds]


def test_a_whole_node_has_nothing_wrong() -> None:
    assert wrong(WHOLE) == []


def test_each_missing_part_is_one_sentence() -> None:
    lines = WHOLE.splitlines(keepends=True)
    assert wrong("".join(lines[:3] + lines[4:])) == ["esx-11: virtual address of dopasoins-1 runs (keepalived): no"]
    assert wrong(WHOLE.replace("replica.cabled", "other")) == ["esx-11: its firmware runs: no"]
    assert wrong(
        WHOLE.replace("servers1@if13: <BROADCAST,MULTICAST,UP,LOWER_UP>", "servers1@if13: <NO-CARRIER,UP>")
    ) == ["esx-11: its wire servers1 is lit: no"]
    assert wrong(WHOLE.replace("eth0@if5", "eth1@if5")) == ["esx-11: server dopasoins-1 is on the network: no"]
    assert wrong(WHOLE.replace("mariadbd --defaults-file=/srv/dopasoins-1/my.cnf", "[mariadbd] <defunct>")) == [
        "esx-11: database of dopasoins-1 runs (mariadbd): no"
    ]


def test_the_arbitrator_is_looked_for_by_its_daemon_and_a_new_program_by_its_name() -> None:
    assert wrong(WHOLE, {}, ("replica.pair.arbitrator", "replica.array")) == [
        "esx-11: database arbitrator runs (garbd): no",
        "esx-11: replica.array runs (replica.array): no",
    ]


def test_a_server_of_another_kind_is_looked_for_by_its_program() -> None:
    alone = {"imagerie": {"program": "replica.alone"}}
    running = "python3 -m replica.alone /run/bascule/imagerie.json\n"
    shown = WHOLE.replace("== dopasoins-1", "== imagerie")
    assert wrong(running + shown, alone) == []
    assert wrong(shown, alone) == ["esx-11: program of imagerie runs (replica.alone): no"]


def test_one_question_asks_for_everything() -> None:
    asked = question(["dopasoins-1"])
    assert asked.count("ps ") == 1
    assert "ip netns exec dopasoins-1 ip -o link show up" in asked
    assert answer("") == Seen(("",), {})
