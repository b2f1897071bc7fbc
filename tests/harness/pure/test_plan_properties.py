"""Laws of the plan's file, over many drawn examples."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.plan import (
    Plan,
    PlanError,
    dumps,
    format_duration,
    format_size,
    load,
    loads,
    parse_duration,
    parse_size,
)
from lab.plan.storage import BLOCK, GRAIN, footprint
from lab.replica.array.layout import metadata_length

if TYPE_CHECKING:
    from pathlib import Path

TINY = (resources.files("lab.plan") / "shipped" / "tiny.yaml").read_text(encoding="utf-8")
WORDS = re.findall(r"[\w.-]+|[^\w\s]|\n *| ", TINY)
# A failing example must be the same tomorrow: the tier is deterministic, exploration is for the nightly run.
FIXED = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def plan_or_refusal(text: str) -> None:
    said = "drawn.yaml:1: good"
    try:
        loads(text, where="drawn.yaml")
    except PlanError as refusal:
        said = str(refusal)
    assert re.match(r"drawn\.yaml:[1-9]\d*: [^\n]+\Z", said)


@FIXED
@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_a_refusal(text: str) -> None:
    plan_or_refusal(text)


@FIXED
@given(st.lists(st.sampled_from([*'[]{}:,-?&*!|>"%@#', "\n", " ", "\t", "a", "\\U", "0"]), max_size=60).map("".join))
def test_any_punctuation_is_a_plan_or_a_refusal(text: str) -> None:
    plan_or_refusal(text)


@settings(FIXED, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_plan_or_a_refusal(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "drawn.yaml"
    file.write_bytes(content)
    said = f"{file}:1: good"
    try:
        load(file)
    except PlanError as refusal:
        said = str(refusal)
    assert said.startswith(f"{file}:")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
)


@FIXED
@given(tree=trees, key=st.sampled_from(sorted(yaml.safe_load(TINY))))
def test_any_value_in_the_place_of_a_section_is_a_plan_or_a_refusal(tree: object, key: str) -> None:
    plan_or_refusal(yaml.safe_dump({**yaml.safe_load(TINY), key: tree}))


@FIXED
@given(at=st.integers(0, len(WORDS) - 1), word=st.sampled_from(WORDS))
def test_a_word_for_another_gives_a_plan_or_a_refusal(at: int, word: str) -> None:
    plan_or_refusal("".join([*WORDS[:at], word, *WORDS[at + 1 :]]))


names = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
durations = st.integers(0, 10**12).map(lambda us: timedelta(microseconds=us))
sizes = st.integers(1, 2**50)


@FIXED
@given(duration=durations, size=sizes)
def test_units_are_read_as_they_were_written(duration: timedelta, size: int) -> None:
    assert parse_duration(format_duration(duration)) == duration
    assert parse_size(format_size(size)) == size


@FIXED
@given(st.integers(1, 2**40).map(lambda blocks: blocks * BLOCK))
def test_a_copy_takes_its_data_a_header_and_a_bit_for_each_grain(size: int) -> None:
    metadata = footprint(size) - size
    assert metadata == metadata_length(size), "the plan and the arrays count alike"
    assert metadata % BLOCK == 0
    assert 0 <= (metadata - BLOCK) * 8 * GRAIN - size < BLOCK * 8 * GRAIN


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan that holds together: the tiny one with other names, sizes, durations and texts."""
    data = yaml.safe_load(TINY)
    data["name"] = draw(names)
    data["time_scale"] = draw(st.floats(0.01, 2.8))
    kinds, pair = data["kinds"], ["dopasoins-1", "dopasoins-2"]
    kinds["host"] |= {"cpu": draw(st.integers(6, 64)), "memory": format_size(24 * 2**30 + draw(sizes))}
    volume = 2**28 + 4096 * draw(st.integers(0, 2**30))
    for server in pair:
        data["servers"][server]["volume"] = format_size(volume)
    kinds["array"]["capacity"] = format_size(2 * footprint(volume) + footprint(2**28) + draw(sizes))
    data["storage"]["prefers"] = draw(st.sampled_from(["salle-1", "salle-2"]))
    fibres = draw(st.lists(names.map("fibre-x-".__add__).map(lambda n: n[:31]), unique=True, max_size=3))
    for fibre in fibres:
        data["cables"][fibre] = {"between": ["salle-2", "salle-1"], "carries": ["servers"]}
    for server in pair:
        data["servers"][server]["boot"] = format_duration(draw(durations))
    objective = {"interruption": format_duration(draw(durations)), "loss": draw(st.integers(0, 9))}
    data["services"]["dopasoins"]["objectives"]["a room"] = objective | {"signed_by": draw(texts)}
    if draw(st.booleans()):
        data["nodes"] = {"esx-11": {"memory": format_size(25 * 2**30 + draw(sizes))}}
    return loads(yaml.safe_dump(data, allow_unicode=True, sort_keys=draw(st.booleans())))


@FIXED
@given(plans())
def test_a_plan_is_read_as_it_was_written(plan: Plan) -> None:
    assert loads(dumps(plan)) == plan


@FIXED
@given(plans())
def test_each_volume_has_a_copy_in_two_rooms_that_the_arrays_can_hold(plan: Plan) -> None:
    held = dict.fromkeys(plan.nodes, 0)
    for volume in plan.volumes.values():
        assert plan.nodes[volume.copies[0]].place == plan.preferred_room
        assert len({plan.nodes[copy].place for copy in volume.copies}) == 2
        for copy in volume.copies:
            held[copy] += volume.footprint
    assert all(size <= (plan.nodes[name].capacity or 0) for name, size in held.items() if size)
