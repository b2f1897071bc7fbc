"""What pydantic found wrong, said as one sentence with the line it is about."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from lab.plan.errors import quoted, unknown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from lab.plan.reading import Path

_EXPECTED = {
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller whole number",
    "int_type": "write a whole number",
    "float_parsing": "write a number, such as 2.5",
    "float_type": "write a number, such as 2.5",
    "finite_number": "write a number, such as 2.5",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "ip_v4_network": "write a subnet without host bits, such as 10.77.1.0/24",
    "ip_v4_address": "write an address, such as 10.77.4.10",
    "tuple_type": "write a list, such as [a, b]",
    "dict_type": "write keys with values, such as {key: value}",
    "model_type": "write keys with values, such as {key: value}",
    "string_type": "write a word",
    "string_pattern_mismatch": "a name is a small letter, then up to 30 small letters, digits or hyphens",
}


def path_of(error: ErrorDetails) -> Path:
    """Give the place of an error in the file; pydantic marks a wrong key by a last step of ``[key]``."""
    loc = error["loc"]
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def without_echoes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out a missing key where an unknown one was written: most often the same key, misspelt."""
    odd = {error["loc"][:-1] for error in errors if error["type"] == "extra_forbidden"}
    return [error for error in errors if error["type"] != "missing" or error["loc"][:-1] not in odd]


def sentence(error: ErrorDetails, root: type[BaseModel]) -> str:
    """Say what is wrong and what would be right."""
    path, kind = path_of(error), error["type"]
    if kind in ("missing", "extra_forbidden"):
        return _about_a_key(error, root)
    if kind == "enum":
        return unknown(f"value at {dotted(path)}:", error["input"], _values(root, path, key=path != error["loc"]))
    if kind == "value_error":
        return f"{dotted(path)}: {error['ctx']['error']}"
    if kind in ("too_long", "too_short"):
        return f"{dotted(path)} holds {error['ctx']['actual_length']} values: {_how_many(error['ctx'])}"
    given = "nothing" if error["input"] is None else _shape(error["input"])
    return f"{dotted(path)} is {given}: {_EXPECTED.get(kind, _plain_words(error))}"


def _about_a_key(error: ErrorDetails, root: type[BaseModel]) -> str:
    *around, key = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"{unknown('key', key, _keys(root, tuple(around)))} (in {dotted(tuple(around))})"
    if isinstance(key, int):
        return f"{dotted(tuple(around))} needs one more value"
    return f"{dotted(tuple(around))} lacks the key {key}: write {key}: with its value"


def dotted(path: Path) -> str:
    """Show a place in the file: ``cables.fibre-a.between[1]``."""
    if not path:
        return "the plan"
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{quoted_if_odd(step)}" for step in path)
    return shown.removeprefix(".")


def quoted_if_odd(name: str) -> str:
    """Leave a word of the plan as it is; quote what could break the sentence."""
    return name if name.replace("-", "").replace("_", "").replace(" ", "").isalnum() else quoted(name)


def _how_many(bounds: Mapping[str, int]) -> str:
    most = bounds.get("max_length")
    return f"write at most {most}" if most else f"write at least {bounds['min_length']}"


def _shape(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else quoted(value)


def _plain_words(error: ErrorDetails) -> str:
    return error["msg"].replace("Input should", "it should").replace("String should", "it should")


def _type_at(root: type[BaseModel], path: Path) -> Any:  # noqa: ANN401 - any annotation may stand there
    """Follow a path through the annotations of the models; None when it leads nowhere."""
    current: Any = root
    for step in path:
        current = _bare(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {field.alias or name: field for name, field in current.model_fields.items()}
            current = fields[str(step)].annotation if step in fields else None
        elif arguments := get_args(current):
            current = arguments[-1] if get_origin(current) is dict else arguments[0]
        else:
            return None
    return _bare(current)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - any annotation may stand there
    """Take away ``Annotated`` and ``| None``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return _bare(get_args(annotation)[0])
    return annotation


def _keys(root: type[BaseModel], path: Path) -> list[str]:
    model = _type_at(root, path)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _values(root: type[BaseModel], path: Path, *, key: bool) -> list[str]:
    found = _bare(get_args(_type_at(root, path[:-1]))[0]) if key else _type_at(root, path)
    return [str(member.value) for member in found] if isinstance(found, type) and issubclass(found, Enum) else []
