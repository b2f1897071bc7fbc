"""What weasyprint does again and again for one document, done once. A tenth of its time; the same octets come out."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def read_as_xml() -> Iterator[None]:
    """Have a page read by the parser of XML, which is in C; by that of HTML if it is none: a name can hold any sign."""
    import tinyhtml5  # noqa: PLC0415 - comes with weasyprint, which is optional

    html = tinyhtml5.parse

    def read(page: Any, **kind: Any) -> Any:  # noqa: ANN401 - published without types
        try:
            return ET.parse(page).getroot()  # noqa: S314 - our own page
        except ET.ParseError:
            page.seek(0)
            return html(page, **kind)

    tinyhtml5.parse = read
    try:
        yield
    finally:
        tinyhtml5.parse = html


@contextlib.contextmanager
def pages_named_once() -> Iterator[None]:
    """Have the list of pages made once: it is asked for by each of the thousands of boxes."""
    import pydyf  # noqa: PLC0415 - as above

    named = pydyf.PDF.page_references

    def references(made: Any) -> Any:  # noqa: ANN401 - as above
        count = made.pages["Count"]
        if made.__dict__.get("named", (0,))[0] != count:
            made.named = count, named.fget(made)
        return made.named[1]

    pydyf.PDF.page_references = property(references)
    try:
        yield
    finally:
        pydyf.PDF.page_references = named


def written_once(_document: object, made: Any) -> None:  # noqa: ANN401 - as above
    """Have each object compressed once: it is asked for to be filed, and again for the identifier of the file."""
    made.objects[:] = [it if it.free == "f" else _written(it) for it in made.objects]


def _written(thing: Any) -> SimpleNamespace:  # noqa: ANN401 - as above
    kept = {name: getattr(thing, name) for name in ("number", "generation", "free", "offset", "compressible", "data")}
    return SimpleNamespace(**kept, indirect=b"%d %d obj\n%b\nendobj" % (thing.number, thing.generation, kept["data"]))
