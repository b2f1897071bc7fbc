"""YAML text to plain data, each value with its line. Stricter than YAML: no alias, no tag, no key twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import yaml

from lab.plan.errors import PlanError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

Path: TypeAlias = "tuple[str | int, ...]"
Data: TypeAlias = "dict[str, Data] | list[Data] | str | None"

_DEEPEST = 12  # a plan needs 6; the reader recurses, so that depth must end long before Python's own limit
_NULL = "tag:yaml.org,2002:null"


class _Refused(Exception):  # noqa: N818 - a signal inside this module, never seen outside
    """Carries a sentence and the line it is about."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(sentence)
        self.line = line


class _StrictLoader(yaml.SafeLoader):
    """Builds YAML nodes without aliases, anchors, tags or great depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None) is not None:
            raise _Refused(f"anchors and aliases ({quoted(event.anchor)}) are refused: write the value out", line)
        if getattr(event, "tag", None) is not None:
            raise _Refused(f"the tag {quoted(event.tag)} is refused: write a plain value, without a tag", line)
        if self.depth >= _DEEPEST:
            raise _Refused(f"values are nested more than {_DEEPEST} deep: a plan never needs that, flatten it", line)
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str, where: str) -> tuple[Data, dict[Path, int]]:
    """Read a YAML text into dictionaries, lists and strings (typed later), and the line of each path.

    Raises:
        PlanError: when the text is not YAML, is empty, or uses what a plan may not.
    """
    lines: dict[Path, int] = {(): 1}
    try:
        return _plain(_compose(text), (), lines), lines
    except _Refused as refused:
        raise PlanError(str(refused), where=where, line=refused.line) from None


def _compose(text: str) -> yaml.Node:
    loader: _StrictLoader | None = None
    try:
        loader = _StrictLoader(text)
        root = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        odd = quoted(chr(error.character))
        raise _Refused(f"this is not YAML: the character {odd} is not allowed", line) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f"{error.context} from line {error.context_mark.line + 1}" if error.context_mark else error.context
        told = " ".join(", ".join(filter(None, (context, error.problem))).split())
        line = mark.line + 1 if mark else 1
        raise _Refused(f"this is not YAML ({told}): check quotes, brackets and indentation", line) from None
    except (ValueError, OverflowError):  # PyYAML lets chr() and int() speak for some escapes and directives
        line = loader.line + 1 if loader else 1
        raise _Refused("this is not YAML: a number in an escape or directive is too large", line) from None
    if root is None:
        raise _Refused("the plan is empty: start from a shipped plan, such as tiny", 1)
    return root


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Data:
    if isinstance(node, yaml.MappingNode):
        return {key: _plain(value, (*path, key), lines) for key, value in _entries(node, path, lines)}
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[*path, index] = item.start_mark.line + 1
        return [_plain(item, (*path, index), lines) for index, item in enumerate(node.value)]
    if node.tag == _NULL:
        return None
    return _text(node)


def _entries(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> Iterator[tuple[str, yaml.Node]]:
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _Refused("a key must be a single word, followed by a colon", line)
        key = _text(key_node)
        if key in seen:
            raise _Refused(
                f"{quoted(key)} is written twice, first on line {seen[key]}: give each a name of its own",
                line,
            )
        seen[key] = lines[*path, key] = line
        yield key, value


def _text(node: yaml.Node) -> str:
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        line = node.start_mark.line + 1
        raise _Refused("half a character (a surrogate escape) is refused: write the character itself", line)
    return text
