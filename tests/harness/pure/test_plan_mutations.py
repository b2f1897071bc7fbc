"""Shipped plans, mutated: each is refused in one sentence, or good enough for all that is derived from a plan.

BASCULE_MUTATIONS says how many (100); `BASCULE_MUTATIONS=10000` takes some minutes.
"""

from __future__ import annotations

import os
import re
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.expectation import expect
from lab.fabric import lay_out
from lab.nodes.specs import PLAYED, spec
from lab.plan import NodeKind, Plan, PlanError, draw, dumps, loads, shipped

TEXTS = [(resources.files("lab.plan") / "shipped" / f"{name}.yaml").read_text(encoding="utf-8") for name in shipped()]
TINY = next(text for text in TEXTS if "name: tiny\n" in text)
HOSTILE = [
    *("../../etc", "/", "null", "true", "~", "1e999", "-1", "0", ".inf", "0x10", "9" * 20, "[]", "{}", "''"),
    *("<script>", "$(reboot)", "`reboot`", "!!python/object/apply:os.system [reboot]", "&a", "*a", "<<", "é"),
    *("\x00", "\u202e"),
]  # fmt: skip


@st.composite
def mutated(draw_: st.DrawFn) -> str:
    """A shipped plan with one to five words dropped, doubled, swapped or replaced, or a line moved."""
    words = re.findall(r"[\w.-]+|[^\w\s]|\n *| ", draw_(st.sampled_from(TEXTS)))
    for _ in range(draw_(st.integers(1, 5))):
        at = draw_(st.integers(0, len(words) - 1))
        word = draw_(st.sampled_from(words) | st.sampled_from(HOSTILE))
        match draw_(st.sampled_from(["drop", "double", "swap", "replace", "cut"])):
            case "drop":
                del words[at]
            case "double":
                words.insert(at, words[at])
            case "swap":
                other = draw_(st.integers(0, len(words) - 1))
                words[at], words[other] = words[other], words[at]
            case "replace":
                words[at] = word
            case _:
                length = draw_(st.integers(1, 40))
                words[at:at] = words[at : at + length]
    return "".join(words)


def all_that_is_derived(plan: Plan) -> None:
    assert loads(dumps(plan)) == plan
    nodes = [node.name for node in plan.nodes.values() if node.kind in PLAYED or node.kind is NodeKind.WARD]
    layout = lay_out(plan, nodes)
    for node in plan.nodes.values():
        if node.kind in PLAYED:
            assert spec(plan, layout, node.name, secret="", defects=(), loops=())["name"] == node.name
    for service in plan.services:
        for lost in plan.rooms:
            assert expect(plan, service, frozenset([lost])).klass
    assert "<svg" in draw(plan)


@settings(
    max_examples=int(os.environ.get("BASCULE_MUTATIONS", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=mutated())
def test_a_mutated_plan_is_refused_in_a_sentence_or_good_for_everything(text: str) -> None:
    plan, said = None, "mutated.yaml:1: good"
    try:
        plan = loads(text, where="mutated.yaml")
    except PlanError as refusal:
        said = str(refusal)
    assert re.match(r"mutated\.yaml:[1-9]\d*: [^\n]+\Z", said)
    if plan is not None:
        all_that_is_derived(plan)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['touch {}']", "!!python/name:os.system", "!x"])
def test_a_plan_runs_no_code(tag: str, tmp_path: pytest.TempPathFactory) -> None:
    proof = f"{tmp_path}/ran"
    with pytest.raises(PlanError):
        loads(TINY.replace("name: tiny", f"name: {tag.format(proof)}"))
    assert not os.path.exists(proof)  # noqa: PTH110 - a plain look
