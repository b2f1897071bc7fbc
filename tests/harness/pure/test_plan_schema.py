"""The JSON Schema of a plan file, read here as an editor reads it."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings

from lab.front.cli import main
from lab.plan import PlanError, dumps, loads, schema, schema_text, shipped
from tests.harness.pure.test_plan_properties import FIXED, plans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.plan import Plan

SCHEMA = Path(__file__).parents[3] / "docs" / "plan.schema.json"
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, allowed: value in allowed,
    "pattern": lambda value, pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
    "minimum": lambda value, least: not isinstance(value, int) or value >= least,
    "maximum": lambda value, most: not isinstance(value, int | float) or value <= most,
    "exclusiveMinimum": lambda value, least: not isinstance(value, int | float) or value > least,
    "minLength": lambda value, least: not isinstance(value, str) or len(value) >= least,
    "maxLength": lambda value, most: not isinstance(value, str) or len(value) <= most,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
    "maxItems": lambda value, most: not isinstance(value, list) or len(value) <= most,
    "minProperties": lambda value, least: len(value) >= least,
    "required": lambda value, keys: set(keys) <= set(value),
}
NOTES = {"$schema", "$defs", "title", "description", "default", "examples", "format"}
SHAPES = {"type", "$ref", "properties", "patternProperties", "additionalProperties", "items"}


def complaints(value: Any, rule: dict[str, Any], at: str = "plan") -> Iterator[str]:  # noqa: ANN401 - any YAML
    """Judge a value by the words of draft 7 that the schema uses; a word not known here is an error."""
    assert set(rule) <= NOTES | SHAPES | set(BOUNDS), f"{at}: a word of JSON Schema that this test does not know"
    if "$ref" in rule:
        yield from complaints(value, schema()["$defs"][rule["$ref"].removeprefix("#/$defs/")], at)
    wanted = rule.get("type", [])
    types = [TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
    if types and not any(isinstance(value, kind) for kind in types):
        yield f"{at}: not {wanted}"
        return
    yield from (f"{at}: {word}" for word, holds in BOUNDS.items() if word in rule and not holds(value, rule[word]))
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from under_key(key, inner, rule, f"{at}.{key}")
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from complaints(inner, rule.get("items", {}), f"{at}[{i}]")


def under_key(key: str, value: Any, rule: dict[str, Any], at: str) -> Iterator[str]:  # noqa: ANN401 - any YAML
    found = [rule["properties"][key]] if key in rule.get("properties", {}) else []
    found += [inner for pattern, inner in rule.get("patternProperties", {}).items() if re.search(pattern, key)]
    for inner in found:
        yield from complaints(value, inner, at)
    if not found:
        other = rule.get("additionalProperties", True)
        yield from complaints(value, other, at) if isinstance(other, dict) else [] if other else [f"{at}: unknown"]


def written(name: str) -> str:
    return (resources.files("lab.plan") / "shipped" / f"{name}.yaml").read_text(encoding="utf-8")


def judged(text: str) -> list[str]:
    return list(complaints(yaml.safe_load(text), schema()))


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_plan_has_nothing_to_underline(name: str) -> None:
    assert judged(written(name)) == []


@settings(FIXED, max_examples=20)
@given(plans())
def test_a_plan_that_was_written_out_has_nothing_to_underline(plan: Plan) -> None:
    assert judged(dumps(plan)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("boot: 6 s", "boot: 45", "servers.dopasoins-1.boot: not string"),
        ("boot: 6 s", "boot: 45 sec", "servers.dopasoins-1.boot: pattern"),
        ("memory: 32 GiB", "memory: 32 Go", "kinds.host.memory: pattern"),
        ("with: dopasoins-2", "twin: dopasoins-2", "servers.dopasoins-1.twin: unknown"),
        ("continuity: pair", "continuity: twins", "servers.dopasoins-1.continuity: enum"),
        ("  salle-1:\n", "  Salle 1:\n", "rooms.Salle 1: unknown"),
        ("hosts: [esx-11]", "hosts: [ESX-11]", "rooms.salle-1.hosts[0]: pattern"),
        ("hosts: [esx-11]", "host: [esx-11]", "rooms.salle-1.host: unknown"),
        ("carries: [management,", "carries: [wifi,", "cables.fibre-a.carries[0]: enum"),
        ("between: [salle-1, salle-2]", "between: [salle-1]", "cables.fibre-a.between: minItems"),
        ("subnet: 10.78.1.0/24", "subnet: 10.78.1.0", "networks.management.subnet: pattern"),
        ("  storage: {subnet: 10.78.2.0/24}", "  san: {subnet: 10.78.2.0/24}", "networks.san: unknown"),
        ("  ward: {", "  bed: {", "kinds.bed: unknown"),
        ("      one component: {", "      a component: {", "services.dopasoins.objectives.a component: unknown"),
        ("time_scale: 3", "time_scale: 0", "time_scale: exclusiveMinimum"),
        ("storage: {prefers: salle-1}", "storage: {room: salle-1}", "storage.room: unknown"),
        ("rule: should", "rule: may", "ha.rule: enum"),
        ("rule: should", "admission: {cpu: 50}", "ha.admission.cpu: not string"),
        ("dopasoins-1: high", "dopasoins-1: urgent", "ha.priority.dopasoins-1: enum"),
        ("acts: false", "acts: seldom", "timers.heartbeat.acts: not boolean"),
        ("name: tiny\n", "\n", "required"),
        ("name: tiny\n", "name: tiny\nexceptions: {}\n", "exceptions: unknown"),
    ],
)
def test_what_the_product_refuses_is_underlined(right: str, wrong: str, complaint: str) -> None:
    text = written("tiny").replace(right, wrong, 1)

    assert text != written("tiny")
    assert any(said.removeprefix("plan.").removeprefix("plan: ") == complaint for said in judged(text))
    with pytest.raises(PlanError):
        loads(text)


def test_exceptions_are_written_under_nodes() -> None:
    text = "nodes: {esx-21: {memory: 24 GiB, stands_on: {servers: [sw-servers-2]}}}\n" + written("tiny")
    assert judged(text) == []
    assert loads(text).nodes["esx-21"].stands_on["servers"] == ("sw-servers-2",)


def fields(rule: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every field wherever it is described."""
    for key, inner in rule.get("properties", {}).items():
        yield f"{at}.{key}", inner
        yield from fields(inner, f"{at}.{key}")
    for name, inner in rule.get("$defs", {}).items():
        yield from fields(inner, name)


def test_every_field_is_described_and_no_key_is_free() -> None:
    found = dict(fields(schema()))

    assert len(found) > 70
    assert [at for at, field in found.items() if not field.get("description")] == []
    for name, model in {"plan": schema(), **schema()["$defs"]}.items():
        assert model.get("description"), name
        assert model["type"] != "object" or model["additionalProperties"] is False, name


def test_units_are_shown_by_example() -> None:
    for at, field in fields(schema()):
        if "GiB" in field.get("pattern", "") or "min" in field.get("pattern", ""):
            assert all(re.search(field["pattern"], example) for example in field["examples"]), at
            assert "string" in field["type"], at


def test_references_lead_somewhere() -> None:
    text = schema_text()
    assert {name.rpartition("/")[2] for name in re.findall(r'"(#/[^"]+)"', text)} <= set(schema()["$defs"])


def test_the_schema_in_the_documentation_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "schema"]) == 0
    printed = capsys.readouterr().out

    assert printed == SCHEMA.read_text(encoding="utf-8"), "bascule plan schema > docs/plan.schema.json"
    assert json.loads(printed) == schema()
