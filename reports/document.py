"""A campaign as one self-contained HTML page, for the screen and for A4 paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import facts, manifest, measures, vocabulary
from reports.figures import drawing, figure_key, timeline
from reports.sentences import Sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.language import Language
    from reports.model import Campaign

_PHRASES: tuple[Callable[..., object], ...] = (
    facts.durations,
    facts.means,
    facts.period,
    facts.perimeter,
    facts.purpose,
    facts.subject,
    drawing,
    measures.informative,
    measures.judged,
    measures.measured,
    measures.named,
    measures.promised,
    timeline,
)
"""What templates may call: functions of a fact and a language, under their own names."""

TEMPLATES = Path(__file__).parent / "templates"


def render(campaign: Campaign, language: Language) -> str:
    """Return the document of a campaign; pure but for the templates it reads."""
    environment = _environment(language)
    page = environment.get_template("document.html.j2").render(
        campaign=campaign,
        css=Markup((TEMPLATES / "print.css").read_text("utf-8")),  # noqa: S704  our own style sheet
        manifest_name=manifest.MANIFEST,
        manifest_digest=manifest.digest(manifest.text(campaign.files)),
    )
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
    environment.globals.update(language=language, words=vocabulary, say=Sentences(language), key=figure_key)
    environment.filters.update(duration=language.duration, size=language.size, typeset=language.typeset)
    return environment


def _in(language: Language, phrase: Callable[..., object]) -> Callable[[object], object]:
    return lambda fact: phrase(fact, language)
