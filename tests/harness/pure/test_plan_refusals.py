"""Each bad plan gets one sentence: file, line, what is wrong, what would be right."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from lab.plan import PlanError, load, loads, shipped

if TYPE_CHECKING:
    from pathlib import Path

ZERO = (resources.files("lab.plan") / "shipped" / "zero.yaml").read_text(encoding="utf-8")
WARD_CABLES = "".join(f"{line}\n" for line in ZERO.splitlines() if line.startswith("  rocade-s-"))

REFUSALS = {
    "unknown key": ("name: zero", "name: zero\ncolour: red", "unknown key 'colour'; known: cables, failovers"),
    "misspelt key": ("rooms:", "roms:", "unknown key 'roms'; did you mean rooms?"),
    "unknown key in an element": ("carries: [servers]}", "carries: [servers], m: 3}", "known: between, carries"),
    "name inside an element": ("fibre-a: {", "fibre-a: {name: x, ", "unknown key 'name': the name is the key itself"),
    "missing key": ("cpu: 4, ", "", "servers.dopasoins-1 lacks the key cpu"),
    "empty value": ("cpu: 4, ", "cpu: , ", "servers.dopasoins-1.cpu is nothing: write a whole number"),
    "node in two rooms": ("esx-12]", "esx-12, esx-21]", "esx-21 is a host in salle-2, but already a host in salle-1"),
    "node in no room": ("kinds:", "nodes: {esx-13: {cpu: 8}}\nkinds:", "unknown node 'esx-13'; did you mean esx-"),
    "name of a node and of a cable": ("fibre-b:", "esx-11:", "esx-11 is a cable, but already a host in salle-1"),
    "kind without defaults": ("  rescue: {networks: [servers]}\n", "", "kinds says nothing of rescue"),
    "unknown kind": ("  host: {", "  hots: {", "did you mean host? known: arbiter, array, host"),
    "host without size": ("{cpu: 16, memory: 64 GiB, ", "{", "a host must offer cpu and memory"),
    "array without size": ("{capacity: 8 GiB, ", "{", "an array must offer a capacity"),
    "cable to nowhere": ("[salle-1, salle-2]", "[salle-1, sale-2]", "fibre-a goes nowhere: unknown place 'sale-2'"),
    "cable with one end": ("[salle-1, salle-2]", "[salle-1]", "cables.fibre-a.between needs one more value"),
    "cable with three ends": ("[salle-1, salle-2]", "[a, b, c]", "holds 3 values: write at most 2"),
    "cable to itself": ("[salle-1, salle-2]", "[salle-1, salle-1]", "both ends of fibre-a are in salle-1"),
    "cable carrying what an end lacks": (
        "services-de-soins], carries: [servers]",
        "services-de-soins], carries: [storage]",
        "rocade-1-a carries storage, but services-de-soins has no storage switch",
    ),
    "cable carrying twice": ("carries: [servers]}", "carries: [servers, servers]}", "carries servers twice"),
    "hole in the mesh": (WARD_CABLES, "", "no cable carries servers between ultime-secours and services-de-soins"),
    "unknown network": ("carries: [servers]}", "carries: [server]}", "unknown network 'server'; did you mean servers?"),
    "fourth network": (
        "  storage: {sub",
        "  backup: {subnet: 10.9.0.0/24}\n  storage: {sub",
        "unknown network 'backup'",
    ),
    "three switches of a network": ("[sw-servers-1a, ", "[a, b, ", "holds 3 values: write at most 2"),
    "node without a switch": (
        "      servers: [sw-soins-a, sw-soins-b]",
        "      {}",
        "cardiologie stands on servers, but services-de",
    ),
    "stands on an unknown switch": (
        "kinds:",
        "nodes: {quorum: {stands_on: {servers: [sw-servers-4]}}}\nkinds:",
        "unknown servers switch of ultime-secours 'sw-servers-4'; did you mean sw-servers-3?",
    ),
    "overlapping subnets": ("10.77.2.0/24", "10.77.1.0/25", "the subnets of management and storage overlap"),
    "subnet too small": ("10.77.1.0/24", "10.77.1.0/28", "too small for the 9 addresses of management"),
    "subnet with host bits": ("10.77.4.0/22", "10.77.4.1/22", "write a subnet without host bits"),
    "server larger than any host": ("cpu: 4, ", "cpu: 40, ", "dopasoins-1 fits on no host: it reserves 40 cpu"),
    "volume larger than the arrays": (
        "volume: 2 GiB",
        "volume: 6 GiB",
        "dopasoins-2 brings the volumes on baie-1 to 8705 MiB with their metadata, more than baie-1 holds (8 GiB)",
    ),
    "array too small in one room": (
        "kinds:",
        "nodes: {baie-2: {capacity: 3 GiB}}\nkinds:",
        "the volume of dopasoins-2 brings the volumes on baie-2 to 4609 MiB with their metadata, more than baie-2",
    ),
    "volume too small": ("volume: 2 GiB", "volume: 255 MiB", "(255 MiB) is too small for a database: write 256 MiB"),
    "volume that ends inside a block": (
        "volume: 2 GiB",
        "volume: 1000000001 B",
        "dopasoins-1 is no whole number of 4 KiB blocks: write 954 MiB",
    ),
    "volume without a mirror": (
        "    arrays: [baie-2]\n",
        "",
        "mirrored between two rooms: write arrays: in two rooms (found: baie-1 in salle-1)",
    ),
    "volume with two arbiters": (
        "    arbiters: [etcd-2]\n",
        "",
        "one in each main room and a witness in the third (found: etcd-1 in salle-1, quorum in ultime-secours)",
    ),
    "room with half the arbiters": ("arbiters: [etcd-1]", "arbiters: [etcd-1, etcd-3]", "of which no room holds half"),
    "unknown room preferred by the storage": (
        "storage: {prefers: salle-1}",
        "storage: {prefers: sale-1}",
        "unknown room with a virtualiser 'sale-1'; did you mean salle-1? known: salle-1, salle-2",
    ),
    "storage that prefers a room without virtualiser": (
        "storage: {prefers: salle-1}",
        "storage: {prefers: ultime-secours}",
        "known: salle-1, salle-2",
    ),
    "array off the storage network": (
        "{capacity: 8 GiB, networks: [storage]}",
        "{capacity: 8 GiB, networks: [management]}",
        "nodes of kind array work on storage, which is missing here: write networks: [management, storage]",
    ),
    "virtualiser off the management network": (
        "virtualiser: {networks: [storage, management]}",
        "virtualiser: {networks: [storage]}",
        "nodes of kind virtualiser work on management, which is missing here: write networks: [storage, management]",
    ),
    "arbiter off the management network": (
        "arbiter: {networks: [management, storage]}",
        "arbiter: {networks: [storage]}",
        "nodes of kind arbiter work on management",
    ),
    "witness off the management network": (
        "witness: {networks: [management, storage, servers]}",
        "witness: {networks: [storage, servers]}",
        "nodes of kind witness work on management",
    ),
    "host off the storage network": (
        "64 GiB, networks: [management, storage, servers]}",
        "64 GiB, networks: [management, servers]}",
        "nodes of kind host work on storage",
    ),
    "stand-alone on no array": (
        "volume: 512 MiB}",
        "volume: 512 MiB, standalone: baie-3}",
        "unknown array 'baie-3'; did you mean baie-",
    ),
    "stand-alone where there is no room": (
        "volume: 512 MiB}",
        "volume: 512 MiB, standalone: baie-2}\nnodes: {baie-2: {capacity: 4300 MiB}}",
        "the volume of imagerie brings the volumes on baie-2 to 4609 MiB with their metadata, more than baie-2 holds",
    ),
    "stand-alone without a volume": (
        "volume: 512 MiB}",
        "standalone: baie-2}",
        "imagerie has no volume that could be stand-alone: write volume:, or no standalone",
    ),
    "priority of nobody": (
        "dopasoins-1: high",
        "dopasoin-1: high",
        "unknown server 'dopasoin-1'; did you mean dopasoins-1?",
    ),
    "unknown priority": ("dopasoins-1: high", "dopasoins-1: hi", "did you mean high? known: high, low, medium"),
    "unknown rule": ("rule: should", "rule: shall", "unknown value at ha.rule: 'shall'; known: must, should"),
    "unknown isolation response": ("isolation_response: leave on", "isolation_response: off", "known: leave on, stop"),
    "percentage without a sign": ("cpu: 50 %", "cpu: 50", "write a whole number and a percent sign, such as 50 %"),
    "more than everything": ("cpu: 50 %", "cpu: 101 %", "it should be less than or equal to 100"),
    "too little without a room": (
        "kinds:",
        "nodes: {esx-21: {memory: 16 GiB}, esx-22: {memory: 16 GiB}}\nkinds:",
        "imagerie brings the reservations to 10 cpu and 40 GiB, more than the hosts left offer (esx-21, esx-22: 32 cpu",
    ),
    "more reserved than admitted": (
        "memory: 50 %",
        "memory: 90 %",
        "when 90 % is kept free: lower reservations, add a host, or write memory: 84 %",
    ),
    "lone server with an arbitrator": (
        "runs_on: [imagerie]",
        "runs_on: [imagerie]\n    arbitrator: quorum",
        "imagerie runs on no pair: an arbitrator has nothing to decide",
    ),
    "scale too large for what acts": (
        "host-dead: {value: 18 s",
        "host-dead: {value: 15 s",
        "time_scale 3 plays host-dead (15 s) in 5 s, less than twice virtualiser-lost (2.6 s)",
    ),
    "timer that acts perhaps": (
        "1 s, acts: false",
        "1 s, acts: perhaps",
        "timers.heartbeat.acts is 'perhaps': write true or false",
    ),
    "pair in one room": ("prefers: salle-2", "prefers: salle-1", "both prefer salle-1: put them in two rooms"),
    "pair that finds one room": (
        "hosts: [esx-21, esx-22]",
        "hosts: []",
        "prefers an unknown room with hosts 'salle-2'",
    ),
    "pair without a twin": ("with: dopasoins-2, ", "", "half of a pair: write with: and the name of its twin"),
    "unknown twin": (
        "with: dopasoins-2",
        "with: dopasoins-3",
        "unknown server 'dopasoins-3'; did you mean dopasoins-2?",
    ),
    "twin of itself": ("with: dopasoins-2", "with: dopasoins-1", "dopasoins-1 needs a twin"),
    "twin that does not name back": (
        "continuity: pair",
        "continuity: restart",
        "has a twin, but its continuity is rest",
    ),
    "unknown continuity": ("continuity: pair", "continuity: pear", "did you mean pair? known: pair, rescue, restart"),
    "room without hosts preferred": ("prefers: salle-1", "prefers: ultime-secours", "known: salle-1, salle-2"),
    "unknown server": ("runs_on: [dopasoins-1,", "runs_on: [dopasoin-1,", "unknown server 'dopasoin-1'"),
    "half a pair in a service": (", dopasoins-2]", "]", "write runs_on: [dopasoins-1, dopasoins-2]"),
    "unknown arbitrator": (
        "arbitrator: quorum",
        "arbitrator: quorun",
        "unknown arbitrator 'quorun'; did you mean quorum?",
    ),
    "pair without arbitrator": ("    arbitrator: quorum\n", "", "which needs an arbitrator"),
    "address outside the subnet": ("10.77.4.10", "10.99.4.10", "no address of the servers subnet 10.77.4.0/22"),
    "address that is none": ("10.77.4.10", "here", "write an address, such as 10.77.4.10"),
    "missing unit": ("patience: 10 s", "patience: 10", "'10' has no unit: write a number and a unit, such as 15 s"),
    "unknown unit": ("patience: 10 s", "patience: 10 sec", "(units: ms, s, min, h)"),
    "unknown unit of size": ("64 GiB", "64 GB", "(units: B, KiB, MiB, GiB, TiB)"),
    "too fine": ("250 ms", "0.0001 ms", "finer than can be kept"),
    "longer than a year": ("30 min", "9000 h", "longer than a year"),
    "larger than any disk": ("64 GiB", "9999999 TiB", "larger than any disk"),
    "impatient client": ("patience: 10 s", "patience: 1 s", "patience is shorter than one attempt"),
    "client that waits for nothing": ("connect: 250 ms", "connect: 0 s", "connect is 0 s"),
    "unknown scope": (
        "a room:",
        "a rom:",
        "did you mean a room? known: a room, both rooms, common mode, one component",
    ),
    "negative loss": ("loss: 0", "loss: -1", "it should be greater than or equal to 0"),
    "scale too large": (
        "time_scale: 3",
        "time_scale: 4",
        "less than twice virtualiser-lost (2.6 s), which is never scaled: at most 3.46",
    ),
    "scale that is no number": ("time_scale: 3", "time_scale: .nan", "time_scale is '.nan': write a number"),
    "list expected": ("hosts: [esx-11, esx-12]", "hosts: esx-11", "rooms.salle-1.hosts is 'esx-11': write a list"),
    "word expected": ("witness: quorum", "witness: [quorum]", "rooms.ultime-secours.witness is a list: write a word"),
    "odd name": ("esx-11, ", "ESX_11, ", "'ESX_11': a name is a small letter, then up to 30"),
    "key written twice": ("fibre-b:", "fibre-a:", "'fibre-a' is written twice, first on line "),
    "anchor": ("name: zero", "name: &a zero", "anchors and aliases ('a') are refused: write the value out"),
    "object tag": ("name: zero", "name: !!python/name:os.system zero", "python/name:os.system' is refused"),
    "deep nesting": ("name: zero", "name: " + "[" * 100_000, "nested more than 12 deep"),
    "tabulation": ("name: zero", "name:\t\t@zero", "this is not YAML"),
    "bracket left open": ("name: zero", "name: [zero", "while parsing a flow sequence from line 3"),
    "character out of range": ("name: zero", r'name: "\UFFFFFFFF"', "too large"),
    "half a character": ("name: zero", r'name: "\ud800"', "half a character"),
    "control character": ("name: zero", "name: \x01", r"the character '\x01' is not allowed"),
}


def test_a_volume_that_nobody_serves_is_refused() -> None:
    text = re.sub(r"    virtualisers: .*\n|storage: \{prefers.*\n", "", ZERO)
    assert "nobody serves the volume of dopasoins-1: write virtualisers: in a room" in refusal(text)


def test_a_plan_without_volumes_needs_no_storage() -> None:
    text = re.sub(
        r"    (arrays|virtualisers|arbiters): .*\n|storage: \{prefers.*\n|, volume: (2 GiB|512 MiB)", "", ZERO
    )
    assert loads(text).preferred_room is None


def refusal(text: str) -> str:
    with pytest.raises(PlanError) as caught:
        loads(text, where="plan.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def first_changed_line(text: str) -> int:
    """Give the number of the first line that differs from the good plan."""
    pairs = zip(ZERO.splitlines(), text.splitlines(), strict=False)
    return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


def test_a_stand_alone_volume_is_not_put_on_another_array_than_it_says() -> None:
    text = ZERO.replace("arrays: [baie-2]", "arrays: [baie-2, baie-3]").replace(
        "volume: 512 MiB}", "volume: 512 MiB, standalone: baie-2}\nnodes: {baie-2: {capacity: 4300 MiB}}"
    )
    assert "the volume of imagerie finds no room on baie-2: lower what stands before it" in refusal(text)


@pytest.mark.parametrize(("old", "new", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_bad_plan_gets_one_sentence(old: str, new: str, said: str) -> None:
    assert old in ZERO
    assert said in refusal(ZERO.replace(old, new, 1))


ELSEWHERE = {
    # How the line told begins, where it is not the one that was changed.
    "missing key": "dopasoins-1:",
    "server larger than any host": "dopasoins-1:",
    "pair without a twin": "dopasoins-1:",
    "pair in one room": "{continuity: pair, with: dopasoins-2",
    "pair that finds one room": "{continuity: pair, with: dopasoins-1",
    "volume larger than the arrays": "{continuity: pair, with: dopasoins-1",
    "array too small in one room": "{continuity: pair, with: dopasoins-1",
    "volume without a mirror": "{continuity: pair, with: dopasoins-2",
    "volume with two arbiters": "{continuity: pair, with: dopasoins-2",
    "room with half the arbiters": "{continuity: pair, with: dopasoins-2",
    "pair without arbitrator": "dopasoins:",
    "too little without a room": "imagerie: {continuity: restart",
    "scale too large for what acts": "time_scale: 3",
    "node in two rooms": "hosts: [esx-21",
    "kind without defaults": "rescue: secours",
    "node without a switch": "wards: [cardiologie",
    "hole in the mesh": "servers: [sw-soins",
    "bracket left open": "time_scale:",  # the first place where it can no longer be closed
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_sentence_begins_with_file_and_line(case: str) -> None:
    old, new, _ = REFUSALS[case]
    text = ZERO.replace(old, new, 1)
    match = re.match(r"plan\.yaml:(\d+): ", refusal(text))
    assert match
    told = int(match[1])
    if case in ELSEWHERE:
        assert text.splitlines()[told - 1].lstrip().startswith(ELSEWHERE[case])
    else:
        assert told == first_changed_line(text)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "3", "[]", "a: 1\n---\nb: 2", "? [a]\n: b", "{}"])
def test_what_is_no_plan_at_all_is_refused(text: str) -> None:
    assert refusal(text).startswith("plan.yaml:")


def test_aliases_that_explode_are_refused_before_they_do() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 64)]
    assert "write the value out" in refusal("\n".join(lines))


def test_a_missing_file_lists_the_shipped_plans(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"zeroo.yaml:1: no such file: .*shipped plan \(pca-2012, pra-2009, tiny, z"):
        load(tmp_path / "zeroo.yaml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="this is a folder"):
        load(tmp_path)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * 10 * 2**20)
    with pytest.raises(PlanError, match="larger than 1 MiB"):
        load(large)


def test_what_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: zero\n# hôpital\n".encode("latin-1"))
    with pytest.raises(PlanError, match=r"latin.yaml:2: byte 0xf4 is not UTF-8"):
        load(latin)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "/dev/null"])
def test_a_path_that_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(PlanError):
        load(path)


def test_the_shipped_plans_are_good() -> None:
    assert [load(name).name for name in shipped()] == ["pca-2012", "pra-2009", "tiny", "zero"]
