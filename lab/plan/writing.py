"""From a plan back to its file, and the file's own description as a JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from lab.plan.model import Plan

if TYPE_CHECKING:
    from typing import TypeAlias

    Json: TypeAlias = dict[str, Any]


class _PlainDumper(yaml.SafeDumper):
    """Writes everything out: the reader refuses aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def dumps(plan: Plan) -> str:
    """Write a plan as YAML, units included, so that ``loads`` gives it back. Comments are not kept."""
    data = plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text: str = yaml.dump(
        data, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000
    )
    return text


def schema() -> Json:
    """Give the JSON Schema of a plan file, with a description for each field, for editors."""
    return Plan.model_json_schema(by_alias=True)
