"""What is done once to print sooner changes nothing that is printed."""

from __future__ import annotations

from contextlib import nullcontext
from operator import itemgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reports import lettering, shaping, sparing
from reports.document import render
from reports.language import speak
from reports.load import load
from tests.harness.pure.reports_folder import FROZEN, UNFELT, write_run

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

weasyprint = pytest.importorskip("weasyprint", exc_type=ImportError)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(load(write_run(tmp_path_factory.mktemp("runs"), FROZEN, UNFELT)), speak("fr"))


def printed(page: str, *thrift: AbstractContextManager[None], **how: Any) -> bytes:  # noqa: ANN401 - weasyprint's own
    shaped, read, written = thrift or (nullcontext(), nullcontext(), nullcontext())
    with lettering.line_by_line(), shaped, read, written:
        document = weasyprint.HTML(string=lettering.as_images(page)).render()
        content: bytes = document.write_pdf(uncompressed_pdf=True, pdf_tags=True, pdf_identifier=True, **how)
    return content


def test_the_same_octets_come_out_as_without_it(page: str) -> None:
    thrift = shaping.shaped_once(), sparing.read_as_xml(), sparing.written_once()

    assert printed(page, *thrift, finisher=sparing.packed) == printed(page)


def test_lines_that_would_be_taken_for_one_another_are_seen(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    careless = tuple(name for name in shaping.READ if name not in {"font_size", "font_weight"})
    monkeypatch.setattr(shaping, "_values", itemgetter(*careless))

    assert printed(page, shaping.shaped_once(), nullcontext(), nullcontext()) != printed(page)


@pytest.mark.parametrize(
    ("text", "css"),
    [
        ("a b", ""),
        ("incomprehensibilities " * 9, "hyphens: auto"),
        ("a\tb\nc", "white-space: pre"),
        ("x" * 90, "overflow-wrap: anywhere"),
        ("a b", "text-decoration: underline; letter-spacing: 1px; word-spacing: 2px"),
        ("a b", "font-feature-settings: 'tnum'; font-variation-settings: 'wght' 500"),
    ],
)
def test_a_line_depends_on_nothing_else_of_its_style(text: str, css: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    from weasyprint.layout import inline  # noqa: PLC0415 - the library may be missing

    class Asked(dict[str, Any]):
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a style has
            return getattr(self["style"], name)

        def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as above
            if name == "style":
                return super().__getitem__(name)
            asked.add(name)
            return self["style"][name]

    split = inline.split_first_line
    monkeypatch.setattr(
        inline, "split_first_line", lambda said, style, *room, **more: split(said, Asked(style=style), *room, **more)
    )
    weasyprint.HTML(string=f'<html lang="en"><p style="width: 60px; {css}">{text}</p>').render()

    assert asked
    assert asked <= set(shaping.READ)


def test_a_page_that_is_no_xml_is_printed_all_the_same() -> None:
    with sparing.read_as_xml():
        page = weasyprint.HTML(string="<!DOCTYPE html><html><body><p>one<br>two \x01</p></body></html>")

    assert "".join(page.etree_element.itertext()).startswith("onetwo")


def test_the_library_is_left_as_it_was() -> None:
    import pydyf  # noqa: PLC0415 - the library may be missing
    import tinyhtml5  # noqa: PLC0415 - as above
    from weasyprint.layout import inline  # noqa: PLC0415 - as above

    before = tinyhtml5.parse, pydyf.zlib, vars(pydyf.PDF)["page_references"], inline.split_first_line, inline.strut
    with shaping.shaped_once(), sparing.read_as_xml(), sparing.written_once():
        pass

    after = tinyhtml5.parse, pydyf.zlib, vars(pydyf.PDF)["page_references"], inline.split_first_line, inline.strut
    assert after == before


def test_a_library_without_the_name_is_left_as_it_is() -> None:
    other = SimpleNamespace(kept=1)

    with sparing.instead(other, "gone", 2):
        assert vars(other) == {"kept": 1}
    with sparing.instead(other, "kept", 2) as before:
        assert (before, other.kept) == (1, 2)
    assert other.kept == 1
