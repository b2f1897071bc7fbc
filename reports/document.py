"""A campaign as one self-contained HTML page, for the screen and for A4 paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import actions, answers, compared, confidence, coverage, facts, manifest, measures, vocabulary
from reports.beforeafter import told
from reports.curves import curve
from reports.figures import drawing, figure_key, timeline
from reports.sentences import Sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reports.beforeafter import Row
    from reports.language import Language
    from reports.model import Campaign
    from reports.past import RunLine
    from reports.trend import Course

_PHRASES: tuple[Callable[..., object], ...] = (
    answers.advised,
    answers.objectives,
    compared.compared,
    compared.regressions,
    confidence.calibration,
    confidence.confidence,
    confidence.instrument,
    facts.durations,
    facts.means,
    facts.moment,
    facts.period,
    facts.perimeter,
    facts.purpose,
    facts.returned,
    facts.subject,
    curve,
    drawing,
    measures.informative,
    measures.journeys,
    measures.judged,
    measures.against,
    measures.named,
    measures.promised,
    timeline,
)
"""What templates may call: functions of a fact and a language, under their own names."""

_FACTS: tuple[Callable[..., object], ...] = (coverage.coverage, coverage.not_played, actions.actions)
"""The same, of a campaign alone."""

TEMPLATES = Path(__file__).parent / "templates"


_PAGES = '<span class="pages"></span>'
"""Where the cover tells the number of pages; left empty the style sheet counts them."""


def render(campaign: Campaign, language: Language) -> str:
    """Return the document of a campaign, as it is printed; pure but for the templates it reads."""
    page = (
        _environment(language)
        .get_template("document.html.j2")
        .render(
            campaign=campaign,
            pages=Markup(_PAGES),  # noqa: S704  our own
            css=_style(),
            manifest_name=manifest.MANIFEST,
            manifest_digest=manifest.digest(manifest.text(campaign.files)),
        )
    )
    return _tidy(page)


def numbered(page: str, pages: int | None) -> str:
    """Return the document with the number of pages of its PDF on the cover; None where there is none."""
    return page.replace(_PAGES, str(pages or "—"), 1)


def render_trend(runs: Sequence[RunLine], courses: Sequence[Course], language: Language) -> str:
    """Return the page over many runs."""
    template = _environment(language).get_template("history.html.j2")
    return _tidy(template.render(runs=runs, courses=courses, css=_style()))


def render_before_and_after(plans: Sequence[str], found: Sequence[Row], language: Language) -> str:
    """Return the page of the same scenarios on several plans."""
    template = _environment(language).get_template("avant-apres.html.j2")
    return _tidy(template.render(plans=plans, rows=found, told=told, css=_style()))


def _style() -> Markup:
    """Return our style sheet with its colours in place of their names: weasyprint looks a name up for each cell."""
    sheet = (TEMPLATES / "print.css").read_text("utf-8")
    names, _, rules = sheet.partition("\n")
    colours = dict(re.findall(r"(--[a-z]+): ([^;]+);", names))
    return Markup(re.sub(r"var\((--[a-z]+)\)", lambda it: colours[it[1]], rules))  # noqa: S704  our own style sheet


def _tidy(page: str) -> str:
    lines = "\n".join(line.rstrip() for line in page.splitlines() if line.strip())
    # A damaged file can hold half a surrogate pair, which no encoding can write.
    return lines.encode("utf-8", "replace").decode("utf-8") + "\n"


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n: Any = environment
    i18n.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)
    environment.globals.update({phrase.__name__: _in(language, phrase) for phrase in _PHRASES})
    environment.globals.update({fact.__name__: fact for fact in _FACTS})
    environment.globals.update(language=language, words=vocabulary, say=Sentences(language), key=figure_key)
    environment.filters.update(duration=language.duration, size=language.size, typeset=language.typeset)
    return environment


def _in(language: Language, phrase: Callable[..., object]) -> Callable[[object], object]:
    return lambda fact: phrase(fact, language)
