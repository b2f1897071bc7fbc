"""A figure on paper: an image told in words, whose lines are shown as one and where they were meant to stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reports.lettering import as_images, line_by_line

if TYPE_CHECKING:
    from collections.abc import Iterator

weasyprint = pytest.importorskip("weasyprint", exc_type=ImportError)


@pytest.fixture
def by_lines() -> Iterator[None]:
    with line_by_line():
        yield


def drawn(*texts: str) -> list[tuple[float, int]]:
    """Of each text that is shown: its column, and how many letters are shown at once."""
    page = as_images(f'<svg viewBox="0 0 720 50" width="720" height="50">{"".join(texts)}</svg>')
    content = weasyprint.HTML(string=page).write_pdf(uncompressed_pdf=True).decode("latin-1")
    shown = re.findall(r"1 0 0 -1 (\S+) \S+ Tm\n.*?\[(.*?)\] TJ", content, re.DOTALL)
    return [(float(column), sum(len(run) // 4 for run in re.findall(r"<(\w+)>", runs))) for column, runs in shown]


@pytest.mark.usefixtures("by_lines")
def test_a_line_is_shown_as_one_where_its_anchor_says() -> None:
    shown = drawn(*(f'<text x="100" y="20" text-anchor="{at}">Pouls</text>' for at in ("start", "middle", "end")))

    (start, middle, end), letters = zip(*shown, strict=True)
    assert letters == (5, 5, 5)
    assert start == 100
    assert end < middle < start
    assert middle == pytest.approx((start + end) / 2, abs=0.01)


def test_the_library_is_left_as_it_was() -> None:
    with line_by_line():
        pass

    assert [letters for _, letters in drawn('<text x="100" y="20">abc</text>')] == [1, 1, 1]


def test_an_image_is_told_by_its_title_and_description() -> None:
    page = as_images('<p>a</p><svg class="plan"><title id="t">T &lt;</title><desc id="d">D.</desc></svg><p>b</p>')

    assert re.fullmatch(
        r'<p>a</p><img class="plan" alt="T &lt;\. D" src="data:image/svg\+xml;base64,\S+"/><p>b</p>', page
    )


def test_a_drawing_with_signs_that_only_html_names_is_drawn() -> None:
    assert drawn('<text x="1" y="20">a&nbsp;&amp;&eacute;</text>')
