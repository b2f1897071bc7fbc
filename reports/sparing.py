"""What weasyprint does again and again for one document, done once; and its packing, done less hard.

Seen on thirty scenarios: a sixth of its time. The pages are the same; the file is a hundredth longer.
"""

from __future__ import annotations

import contextlib
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVEL = 6
"""Of zlib, instead of 9: half the time."""


@contextlib.contextmanager
def instead(owner: Any, name: str, value: object) -> Iterator[Any]:  # noqa: ANN401 - modules and classes without types
    """Have a name of a library mean something else as long as the context lasts; yield what it means otherwise.

    A version that has no such name is left as it is: it only takes its time.
    """
    if name not in vars(owner):
        yield None
        return
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield before
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def read_as_xml() -> Iterator[None]:
    """Have a page read by the parser of XML, which is in C; by that of HTML if it is none: a name can hold any sign."""
    import tinyhtml5  # noqa: PLC0415 - comes with weasyprint, which is optional

    def read(page: Any, **kind: Any) -> Any:  # noqa: ANN401 - published without types
        try:
            return ET.parse(page).getroot()  # noqa: S314 - our own page
        except ET.ParseError:
            page.seek(0)
            return html(page, **kind)

    with instead(tinyhtml5, "parse", read) as html:
        yield


@contextlib.contextmanager
def written_once() -> Iterator[None]:
    """Have the list of pages made once, and not for each of thousands of boxes; pack less hard."""
    import pydyf  # noqa: PLC0415 - as above

    def references(made: Any) -> Any:  # noqa: ANN401 - as above
        count = made.pages["Count"]
        if made.__dict__.get("named", (0,))[0] != count:
            made.named = count, listed.fget(made)
        return made.named[1]

    packing = SimpleNamespace(compressobj=lambda level: zlib.compressobj(min(level, LEVEL)))
    with instead(pydyf.PDF, "page_references", property(references)) as listed, instead(pydyf, "zlib", packing):
        yield


def packed(_document: object, made: Any) -> None:  # noqa: ANN401 - as above
    """Have each object packed once: it is asked for to be filed, and again for the identifier of the file."""
    made.objects[:] = [it if it.free == "f" else _packed(it) for it in made.objects]


def _packed(thing: Any) -> SimpleNamespace:  # noqa: ANN401 - as above
    kept = {name: getattr(thing, name) for name in ("number", "generation", "free", "offset", "compressible", "data")}
    return SimpleNamespace(**kept, indirect=b"%d %d obj\n%b\nendobj" % (thing.number, thing.generation, kept["data"]))
