"""The JSON Schema of a plan file: what an editor needs to complete it, explain it and underline what is wrong.

It is made from the models, then put in the words of draft 7, the newest that the YAML language server knows whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.plan.model import Plan
from lab.plan.words import NETWORKS, NodeKind, Scope

if TYPE_CHECKING:
    from typing import TypeAlias

    Json: TypeAlias = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"

_NETWORK_KEYS = {
    "management": "Administration of hosts, arrays and switches.",
    "storage": "Between hosts, virtualisers and arrays.",
    "servers": "The servers, and the wards that use them.",
}
_KIND_KEYS = {
    NodeKind.HOST: "ESX hosts, which run the servers.",
    NodeKind.ARRAY: "Disk arrays.",
    NodeKind.VIRTUALISER: "Storage virtualiser nodes (SVC).",
    NodeKind.ARBITER: "Members of the arbiter (etcd).",
    NodeKind.WITNESS: "The node that breaks ties between the two main rooms.",
    NodeKind.RESCUE: "The Ultime Secours node, on another technology.",
    NodeKind.WARD: "Wards, where the clinicians are.",
}
_SCOPE_KEYS = {
    Scope.ONE_COMPONENT: "One node, one switch or one cable is lost.",
    Scope.A_ROOM: "One of the main rooms is lost, with everything in it.",
    Scope.COMMON_MODE: "What both main rooms share is lost.",
    Scope.BOTH_ROOMS: "Both main rooms are lost.",
}
_KEYS: dict[str, dict[str, str]] = {
    "networks": _NETWORK_KEYS,
    "switches": _NETWORK_KEYS,
    "stands_on": _NETWORK_KEYS,
    "kinds": {str(kind): told for kind, told in _KIND_KEYS.items()},
    "objectives": {str(scope): told for scope, told in _SCOPE_KEYS.items()},
}
"""Mappings whose keys are words of the plan: an editor offers only what is listed one by one."""

_SUBNET: Json = {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", "examples": ["10.77.1.0/24"]}


def schema() -> Json:
    """Give the JSON Schema of a plan file, with a description for each field, for editors."""
    made = Plan.model_json_schema(by_alias=True)
    models: dict[str, Json] = made.pop("$defs")
    described: Json = {
        "$schema": DRAFT,
        "title": "Plan of a Bascule lab",
        "description": "What an infrastructure is and what it owes. `bascule plan check` also says whether it holds"
        " together.",
    }
    root = _model(made)
    root["properties"]["networks"]["required"] = ["servers"]
    defined = {name: _model(model) for name, model in sorted(models.items()) if name not in ("NodeKind", "Scope")}
    return described | root | described | {"$defs": defined}


def schema_text() -> str:
    """Give the schema as the text of a file, the same bytes each time."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _model(model: Json) -> Json:
    told = {"description": model["description"].replace("``", "`")} if "description" in model else {}
    fields = {key: _field(key, field) for key, field in model.get("properties", {}).items()}
    return model | told | ({"properties": fields} if fields else {})


def _field(key: str, field: Json) -> Json:
    """Put a field in plain words: no ``anyOf`` for what may be left out, keys and networks listed one by one."""
    field = {name: value for name, value in field.items() if name != "title" and (name, value) != ("default", None)}
    options = [option for option in field.pop("anyOf", ()) if option != {"type": "null"}]
    for option in options:
        field |= option | ({"type": [option["type"], "null"]} if "type" in option else {})
    if field.get("format") == "ipv4network":
        del field["format"]
        field |= _SUBNET
    if "prefixItems" in field:
        field["items"] = field.pop("prefixItems")[0]
    if field.get("type") == "array" and key in ("networks", "carries"):
        field["items"] = {"enum": list(NETWORKS)}
    elif key in _KEYS:
        _list_keys(field, _KEYS[key])
    if "patternProperties" in field:
        field["additionalProperties"] = False
    return field


def _list_keys(field: Json, keys: dict[str, str]) -> None:
    value = field["additionalProperties"]
    field.pop("propertyNames", None)
    field |= {"properties": {key: {"description": told} | value for key, told in keys.items()}}
    field["additionalProperties"] = False
