"""Which scenario of the catalogue was played when, with what result, and when it is due again. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lab.measure import Outcome
from reports.earlier import Played
from reports.people import Programme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from reports.model import Campaign

COLUMNS = 6
"""Days that the table shows, the newest of the programme."""


class Cell(NamedTuple):
    """What a day gave for a scenario: its worst result, and how many plays there were."""

    outcome: Outcome
    plays: int


class Line(NamedTuple):
    """A scenario of the catalogue over the programme."""

    family: str
    title: str
    title_fr: str
    cells: tuple[Cell | None, ...]
    plays: int
    last: date | None
    due: date | None
    """None for one that was never played: it is due now."""


class Table(NamedTuple):
    """Scenario by date."""

    days: tuple[date, ...]
    lines: tuple[Line, ...]
    planned: date | None = None
    """The next exercise, where people planned one."""

    @property
    def next(self) -> date | None:
        """The next exercise: as planned, else the first day on which a scenario is due again."""
        return self.planned or min((line.due for line in self.lines if line.due), default=None)

    @property
    def never(self) -> tuple[Line, ...]:
        """The scenarios of the catalogue that were never played."""
        return tuple(line for line in self.lines if line.last is None)


def coverage(campaign: Campaign) -> Table:
    """Return the table of a campaign and of the runs before it."""
    programme = campaign.people.programme if campaign.people else Programme()
    today = campaign.started.date()
    since = later(today, -12 * programme.years)
    played: dict[str, dict[date, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for play in _plays(campaign):
        if since <= play.at.date() <= today:
            played[play.family][play.at.date()].append(play.outcome)
    days = tuple(sorted({day for days in played.values() for day in days})[-COLUMNS:])
    titles = _titles(campaign)
    families = sorted({*titles, *played}, key=_natural)
    counts = _counts(campaign)
    lines = (
        _line(name, titles.get(name, ("", "")), played[name], days, programme)._replace(plays=counts[name])
        for name in families
    )
    return Table(days, tuple(lines), programme.next)


def later(day: date, months: int) -> date:
    """Return the day so many months later, or the last of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def not_played(campaign: Campaign) -> Iterator[tuple[str, str, str]]:
    """Yield the scenarios of the catalogue that this campaign left out: family, title, title in French."""
    done = {result.description.family for result in campaign.scenarios if result.description}
    for family, (title, title_fr) in sorted(_titles(campaign).items(), key=lambda item: _natural(item[0])):
        if family not in done:
            yield family, title, title_fr


def _titles(campaign: Campaign) -> Mapping[str, tuple[str, str]]:
    known = {one.family: (one.title, one.title_fr) for one in campaign.catalogue}
    for result in campaign.scenarios:
        if result.description and result.description.family:
            known.setdefault(result.description.family, (result.description.title, result.description.title_fr))
    return known


def _plays(campaign: Campaign) -> Iterator[Played]:
    for past in campaign.earlier.scenarios.values() if campaign.earlier else ():
        yield from past.last
    for result in campaign.scenarios:
        family = result.description.family if result.description else result.id.split("-", maxsplit=1)[0]
        yield Played(result.id, family, "", campaign.started, "", result.outcome)


def _line(
    family: str,
    titles: tuple[str, str],
    played: Mapping[date, list[Outcome]],
    days: Iterable[date],
    programme: Programme,
) -> Line:
    last = max(played, default=None)
    cells = tuple(Cell(_worst(played[day]), len(played[day])) if day in played else None for day in days)
    due = later(last, programme.every_months) if last else None
    return Line(family, *titles, cells, 0, last, due)


def _counts(campaign: Campaign) -> Counter[str]:
    """Count every play, those too that are no longer kept one by one."""
    counts = Counter(play.family for play in _plays(campaign) if not play.run)
    for past in campaign.earlier.scenarios.values() if campaign.earlier else ():
        counts[past.last[-1].family] += past.count
    return counts


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    seen = set(outcomes)
    return next(which for which in (Outcome.NOT_MET, Outcome.INCONCLUSIVE, Outcome.MET) if which in seen)


def _natural(family: str) -> tuple[str, int, str]:
    letters = family.rstrip("0123456789abcdefghijklmnopqrstuvwxyz")
    number = "".join(character for character in family[len(letters) :] if character.isdigit())
    return letters, int(number or 0), family
