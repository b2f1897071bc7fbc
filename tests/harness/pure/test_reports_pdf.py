"""The file to sign: tagged, told in words, no clipped line, the same octets each time; or a sentence why not."""

from __future__ import annotations

import re
import sys
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import reports
from reports.document import render
from reports.language import speak
from reports.load import load
from reports.pdf import pdf
from tests.harness.pure.reports_folder import MET, STORIES, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

weasyprint = pytest.importorskip("weasyprint", exc_type=ImportError)
FRENCH = speak("fr")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs"), *STORIES, change="CHG-1")


@pytest.fixture(scope="module")
def published(run: Path) -> reports.Published:
    return reports.publish(run)


@pytest.fixture(scope="module")
def objects(published: reports.Published) -> str:
    """The PDF with every stream unfolded."""
    assert published.pdf is not None, published.missing
    content = published.pdf.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    return "\n".join(part.decode("latin-1") for part in (content, *filter(None, map(_unfolded, streams))))


def _unfolded(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_it_is_declared_tagged_and_in_french(objects: str) -> None:
    assert re.search(r"pdfaid:part=\"3\"|<pdfaid:part>3", objects)
    assert re.search(r"pdfaid:conformance=\"A\"|<pdfaid:conformance>A", objects)
    assert re.search(r"/Lang ?\(fr\)", objects)
    assert re.search(r"/Marked true", objects)
    assert "/StructTreeRoot" in objects


def test_every_figure_is_told_in_words(objects: str) -> None:
    figures = re.findall(r"/S ?/Figure", objects)

    assert len(figures) >= len(STORIES) + 1
    assert len(re.findall(r"/Alt", objects)) >= len(figures)


def test_the_cover_prints_the_pages_that_there_are(published: reports.Published, objects: str) -> None:
    printed = re.search(r"Nombre de pages</th><td>(\d+)", published.document.read_text("utf-8"))
    count = re.search(r"/Type ?/Pages[^>]*/Count (\d+)|/Count (\d+)[^>]*/Type ?/Pages", objects)

    assert printed
    assert count
    assert printed[1] == (count[1] or count[2])


def test_sections_are_bookmarks_and_the_evidence_is_attached(objects: str) -> None:
    assert objects.count("/Title") > 15
    assert "MANIFEST.sha256" in objects
    assert "/AFRelationship /Data" in objects


def test_the_same_run_gives_the_same_octets(run: Path, published: reports.Published) -> None:
    assert published.pdf is not None
    first = published.pdf.read_bytes(), published.document.read_bytes()

    again = reports.publish(run)

    assert again.pdf is not None
    assert (again.pdf.read_bytes(), again.document.read_bytes()) == first


def test_nothing_is_clipped_on_a4_whatever_the_names(tmp_path: Path) -> None:
    long = "x" * 300
    story = replace(
        MET, id=f"H1-{'y' * 200}", fault_fr=long, title_fr=f"<b>{long}</b>", targets=(long, "z"), predicted="B"
    )
    run = write_run(tmp_path, story, change=long, machine={long: long})
    (run / "people.yaml").write_text(
        f"reference: {long}\nrecipients: [{long}]\nactions: [{{gap: {long}, action: {long}}}]"
    )

    document = weasyprint.HTML(string=render(load(run), FRENCH)).render()

    for page in document.pages:
        for box in _texts(page._page_box):  # noqa: SLF001 - the only way to where a word stands
            assert box.position_x >= -1, box.text
            assert box.position_x + box.width <= page.width + 1, box.text[:60]


def _texts(box: Any) -> Iterator[Any]:  # noqa: ANN401 - published without types
    if hasattr(box, "text"):
        yield box
    for child in getattr(box, "children", ()):
        yield from _texts(child)


def test_what_lies_outside_is_refused_in_one_sentence(run: Path) -> None:
    page = '<html lang="fr"><title>x</title><img src="https://example.org/x.png" alt="x">'

    with pytest.raises(reports.ReportError, match="asks for something outside itself"):
        pdf(page, "", "MANIFEST.sha256", load(run).started)


def test_a_figure_that_cannot_be_drawn_is_no_hole_in_the_document(run: Path) -> None:
    page = '<html lang="fr"><title>x</title><svg viewBox="0 0 9 9"><text x="1" font-weight="heavy">a</text></svg>'

    with pytest.raises(reports.ReportError, match="no PDF: Failed to render SVG image"):
        pdf(page, "", "MANIFEST.sha256", load(run).started)


def test_without_weasyprint_a_sentence_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    with pytest.raises(reports.ReportError, match="no PDF: weasyprint is not installed; pip install"):
        pdf("<p>", "", "MANIFEST.sha256", load(run).started)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("import os; os.abort()", "no PDF: its process ended with -6"),
        ("raise ImportError(name='weasyprint')", "no PDF: weasyprint is not installed"),
        ("raise OSError('cannot load library pango')", "no PDF: a library of the system is missing"),
    ],
)
def test_a_library_that_dies_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, sentence: str
) -> None:
    (tmp_path / "weasyprint.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)

    published = reports.publish(write_run(tmp_path, MET))

    assert published.pdf is None
    assert published.missing[0].startswith(sentence)
    assert "Nombre de pages</th><td>—" in published.document.read_text("utf-8")
    assert published.summary is not None
