"""Believable run folders, written in the bench's own formats from a few lines of story; always the same octets."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from lab.measure import Evidence, History, Readback, judge
from lab.plan import Scope, dumps, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Row = dict[str, Any]

S = 1_000_000_000
BEGIN, INJECT = 5_000 * S, 5_006 * S
"""Monotonic instants of the first observation and of the injection."""
WARDS = ("cardiologie", "urgences")
CYCLE = (
    "read-record", "record-act", "read-record", "list-prescriptions", "read-record",
    "prescribe", "read-record", "list-prescriptions", "record-act", "sign-in",
)  # fmt: skip
WRITES = ("record-act", "prescribe")
PATIENCE = 10.0


@dataclass(frozen=True)
class Story:
    """A scenario: what broke, and when the service answered late or not at all (seconds from the injection)."""

    id: str
    fault: str
    fault_fr: str
    title_fr: str
    scope: Scope = Scope.ONE_COMPONENT
    targets: tuple[str, ...] = ()
    down: tuple[tuple[float, float], ...] = ()
    frozen: tuple[tuple[float, float], ...] = ()
    held: float = 14.0
    lasts: float = 24.0
    felt: bool = True
    lost: int = 0
    predicted: str = "B"
    spoilt: tuple[tuple[str, bytes | None], ...] = ()
    """Files to spoil: their new content, or None to remove them."""


MET = Story(
    "H1-esx-11", "PowerLoss(target='esx-11')", "Coupure électrique de esx-11",
    "Un service de soins garde son dossier patient quand un hôte s'arrête",
    targets=("esx-11",), down=((0.0, 0.93),),
)  # fmt: skip
UNSEEN = Story(
    "L1-fibre-a", "CableCut(cables=('fibre-a',))", "Coupure du câble fibre-a",
    "Un câble entre les salles est coupé", targets=("fibre-a",), predicted="A",
)  # fmt: skip
FROZEN = Story(
    "N2-sw-storage-1", "SwitchLoss(switch='sw-storage-1')", "Panne du commutateur sw-storage-1",
    "Un commutateur de stockage s'arrête", targets=("sw-storage-1",), frozen=((0.2, 2.9), (14.1, 15.6)), predicted="A",
)  # fmt: skip
NOT_MET = Story(
    "R1-salle-1", "PowerLoss(target='salle-1')", "Coupure électrique de salle-1",
    "Un service de soins garde son dossier patient quand une salle est perdue",
    scope=Scope.A_ROOM, targets=("salle-1",), down=((0.0, 31.4), (62.0, 62.4)), held=60.0, lasts=84.0, lost=2,
)  # fmt: skip
UNFELT = Story(
    "L3-rocade-1-a", "Blackhole(cable='rocade-1-a')", "Câble rocade-1-a muet dans les deux sens (porteuse maintenue)",
    "Un câble vers les services de soins ne transporte plus rien", targets=("rocade-1-a",), felt=False,
)  # fmt: skip
DAMAGED = Story(
    "H1-esx-12", "PowerLoss(target='esx-12')", "Coupure électrique de esx-12", "Un hôte s'arrête", targets=("esx-12",),
    spoilt=(("verdict.json", b'{"scenario": "H1-esx-1'), ("readback.json", None), ("events.jsonl", b'{"t": 5')),
)  # fmt: skip
STORIES = (MET, UNSEEN, FROZEN, NOT_MET, UNFELT, DAMAGED)


def write_run(root: Path, *stories: Story, name: str = "20261124T031500Z-zero", **campaign: Any) -> Path:  # noqa: ANN401  any JSON
    """Write a run folder and return it; keywords replace fields of ``campaign.json``."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "plan.yaml").write_text(dumps(load("zero")), "utf-8")
    content = {
        "version": 1, "plan": "zero", "started": "2026-11-24T03:15:00+00:00", "ended": "2026-11-24T03:22:41+00:00",
        "machine": {"system": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0", "cores": "2", "memory": "7 GiB"},
        "backend": {"impairments": "nft"}, "change": None, "phases": {"build": 14.2},
        "scenarios": [story.id for story in stories],
    }  # fmt: skip
    write_json(folder / "campaign.json", content | campaign)
    for story in stories:
        _write_scenario(folder, story)
    return folder


def write_json(path: Path, content: object) -> None:
    """Write a JSON file as the bench does."""
    path.write_text(_json(content), "utf-8")


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _lines(rows: Iterable[object]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _write_scenario(run: Path, story: Story) -> None:
    folder = run / story.id
    folder.mkdir()
    for name, content in _recorded(replace(story, spoilt=())).items():
        (folder / name).write_text(content, "utf-8")
    for name, spoilt in story.spoilt:
        (folder / name).unlink()
        if spoilt is not None:
            (folder / name).write_bytes(spoilt)


@cache
def _recorded(story: Story) -> dict[str, str]:
    """Play a story. Kept, because judging it is what takes the time."""
    objective = load("zero").services["dopasoins"].objectives[story.scope]
    rows = list(_history(story))
    readback = _readback(rows, story.lost)
    verdict = judge(
        History.parse(json.dumps(row) for row in rows),
        readback,
        _Promise(objective.interruption, timedelta(seconds=5), objective.loss),
        scenario=story.id,
        service="dopasoins",
        evidence=_evidence(story),
        predicted=story.predicted,
        fault_window=(INJECT, INJECT + _ns(story.held)),
    )
    bounds = {"interruption_s": objective.interruption.total_seconds(), "freeze_s": 5.0, "loss": objective.loss}
    about = {
        "id": story.id, "family": story.id.split("-")[0], "title": "Care goes on", "title_fr": story.title_fr,
        "fault": story.fault, "fault_fr": story.fault_fr, "scope": story.scope, "targets": story.targets,
        "service": "dopasoins", "objective": bounds,
    }  # fmt: skip
    return {
        "scenario.json": _json(about),
        "history.jsonl": _lines(rows),
        "events.jsonl": _lines(_events(story)),
        "readback.json": readback.to_json(),
        "verdict.json": verdict.to_json(),
    }


@dataclass(frozen=True)
class _Promise:
    interruption: timedelta | None
    freeze: timedelta | None
    loss: int | None


def _ns(seconds: float) -> int:
    return round(seconds * 1000) * (S // 1000)


def _evidence(story: Story) -> tuple[Evidence, ...]:
    detail = "3 nodes and 4 switches dark: 0 alive, 0 of 18 ports lit"
    detail_fr = "3 machines et 4 commutateurs : 0 en marche, 0 port sur 18 avec porteuse"
    return (
        Evidence(story.fault, "injected", story.felt, detail, story.fault_fr, detail_fr),
        Evidence(story.fault, "before heal", True, detail, story.fault_fr, detail_fr),  # noqa: FBT003 - all positional
        Evidence(story.fault, "after heal", False, detail, story.fault_fr, detail_fr),  # noqa: FBT003 - all positional
    )


def _events(story: Story) -> list[Row]:
    told = (
        (0.0, "inject", story.fault, story.fault_fr),
        (0.04, "proof", "injected: felt", "preuve (ressentie)" if story.felt else "preuve (non ressentie)"),
        (0.05, "hold", "held for 3.2 s at least", "panne maintenue 3,2 s au moins"),
        (story.held - 0.2, "steady", "the wards are served", "les services sont servis"),
        (story.held, "heal", "healed", "réparation"),
        (story.held + 3.4, "return", "back to normal", "retour à la normale"),
    )
    return [{"t": INJECT + _ns(at), "what": what, "text": text, "text_fr": french} for at, what, text, french in told]


def _history(story: Story) -> Iterator[Row]:
    for ward in WARDS:
        for writer, grid in (("pulse", 10), ("journeys", 200)):
            start = {"k": "start", "v": 1, "writer": f"{writer}@{ward}", "t": BEGIN, "utc": "2026-11-24T03:15:20+00:00"}
            yield start | {"interval_ns": grid * S // 1000, "timeout_ns": 2 * S, "patience_ns": _ns(PATIENCE)}
        yield from _pulse(story, ward)
        yield from _journeys(story, ward)
        for writer in ("pulse", "journeys"):
            yield {"k": "lag", "writer": f"{writer}@{ward}", "t": BEGIN, "p999_ns": 2_100_000, "max_ns": 3_000_000}
            yield {"k": "end", "writer": f"{writer}@{ward}", "t": BEGIN + _ns(30)}


def _pulse(story: Story, ward: str) -> Iterator[Row]:
    for number in range(int((story.lasts + 6) * 100)):
        at = number / 100 - 6
        ok, late = _answer(story, at)
        start = INJECT + _ns(at)
        end = start + _ns(late)
        row = {"k": "pulse", "w": ward, "t": start, "s": start, "e": end, "o": "ok" if ok else "failed", "c": "new"}
        yield row | {
            "why": None if ok else "connect timeout",
            "x": f"{ward}-p{number}",
            "m": "dopasoins-2" if ok else None,
        }


def _journeys(story: Story, ward: str) -> Iterator[Row]:
    for number in range(int((story.lasts + 6) * 5)):
        journey = CYCLE[number % len(CYCLE)]
        at = number / 5 - 6 + 0.037
        back = next((end for start, end in story.down if start <= at < end), at)
        served, late = back - at < PATIENCE, _answer(story, back)[1] + min(back - at, PATIENCE)
        start, end = INJECT + _ns(at), INJECT + _ns(at + late)
        outcome, op = "ok" if served else "failed", f"{ward}-{number}"
        why = None if served else "patience"
        last = {"k": "try", "w": ward, "op": op, "n": 1, "s": start, "e": end, "o": outcome, "why": why}
        yield last | {"x": f"{op}-1", "m": "dopasoins-2" if served else None}
        kind, key = ("write", f"w-{op}") if journey in WRITES else ("read", None)
        row = {"k": "op", "op": op, "w": ward, "j": journey, "a": kind, "key": key, "t": start, "e": end}
        yield row | {"o": outcome, "n": 1}


def _answer(story: Story, at: float) -> tuple[bool, float]:
    if any(start <= at < end for start, end in story.down):
        return False, 0.25
    thaw = next((end for start, end in story.frozen if start <= at < end), at)
    return True, thaw - at + 0.006


def _readback(lines: list[Row], lost: int) -> Readback:
    done = [line for line in lines if line["k"] == "op" and line["key"] and line["o"] == "ok"]
    kept = [line["key"] for line in done[: len(done) - lost]]
    trail = [line["x"] for line in lines if line["k"] in {"pulse", "try"} and line["o"] == "ok"]
    copy = {"acts": dict.fromkeys(kept, 1), "prescriptions": dict[str, int]()}
    return Readback({"dopasoins-1": copy, "dopasoins-2": copy}, frozenset(trail))
