"""From a plan back to its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from lab.plan.model import Plan


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
