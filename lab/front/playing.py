"""`bascule scenarios`, `run` and `gate`: find scenarios through pytest's own collection, play them, say how it went."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import lab
from lab.front.commands import MisuseError
from lab.front.summary import results
from lab.front.targets import Named, named
from lab.front.verdicts import BENCH_ERROR, INCONCLUSIVE, NOT_MET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MET, MISSED, MISUSE, SAYS_NOTHING, BENCH = 0, 1, 2, 3, 4
STOPPED = 130
# A measured failure outweighs all: no trouble of the bench may hide that clinicians were interrupted.
_WORST_FIRST = ((NOT_MET, MISSED), (BENCH_ERROR, BENCH), (INCONCLUSIVE, SAYS_NOTHING))


# Interrupted, where nobody pressed Ctrl-C: a file could not be collected.
_BY_PYTEST: dict[int, int] = {
    pytest.ExitCode.OK: MET,
    pytest.ExitCode.INTERRUPTED: MISUSE,
    pytest.ExitCode.USAGE_ERROR: MISUSE,
    pytest.ExitCode.NO_TESTS_COLLECTED: MISUSE,
}
# Our own modules are here before pytest wants to rewrite their assertions; they have none.
_QUIETLY = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")


class Found(NamedTuple):
    """A scenario that would be played."""

    name: Named
    markers: tuple[str, ...]


class _Collected:
    """Keeps scenarios only, and remembers them."""

    def __init__(self) -> None:
        self.found: list[Found] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        names = {item: named(item) for item in items}
        config.hook.pytest_deselected(items=[item for item in items if not names[item].marked])
        items[:] = [item for item in items if names[item].marked]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        known = ("gate", "nightly", "thorough", "maintenance", "disaster")
        for item in session.items:
            markers = tuple(word for word in known if item.get_closest_marker(word))
            self.found.append(Found(named(item), markers))


class _Played(_Collected):
    """Remembers how the session went, too."""

    def __init__(self) -> None:
        super().__init__()
        self.code: int | None = None
        self._stray = False
        self._stopped = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._stray = self._stray or (report.failed and "result" not in dict(report.user_properties))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._stopped = excinfo.type is KeyboardInterrupt  # what pytest itself interrupts is of another type

    @pytest.hookimpl(wrapper=True)  # once the run folder is closed: trouble with it counts
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        yield
        seen = results(session.config) | ({BENCH_ERROR} if self._stray else set())
        self.code = STOPPED if self._stopped else code_of(seen, session.exitstatus)


def code_of(seen: set[str], status: int) -> int:
    """The exit code of a session: by what its scenarios gave, then by what pytest says of itself."""
    for result, code in _WORST_FIRST:
        if result in seen:
            return code
    return _BY_PYTEST.get(status, BENCH)


def shipped() -> Path:
    """The scenarios that come with the product: beside the sources, or in the installed package."""
    home = Path(lab.__file__).parent
    packaged = home / "front" / "scenarios"
    return packaged if packaged.is_dir() else home.parent / "tests" / "scenarios"


def collect(arguments: Sequence[str]) -> list[Found]:
    """Ask pytest what it would play, in silence and without a lab.

    Raises:
        MisuseError: it could not tell; the message ends with its own words.
    """
    collected = _Collected()
    said, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
        status = pytest.main([*_QUIETLY, "--collect-only", "-q", *arguments], plugins=[collected])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise MisuseError((wrong.getvalue().strip() or said.getvalue().strip()).removeprefix("ERROR: "))
    return collected.found


def where(options: Sequence[str]) -> list[str]:
    """Where the scenarios are: in this folder if it has any, else those shipped with the product."""
    if Path("tests/scenarios").is_dir():
        return ["tests/scenarios"]
    if collect(options):
        return []
    return [str(shipped()), "--rootdir=.", "--import-mode=importlib", "-p", "no:cacheprovider"]


def play(options: Sequence[str]) -> int:
    """Play scenarios; returns the exit code."""
    played = _Played()
    status = pytest.main([*_QUIETLY, *options], plugins=[played])
    return code_of(set(), status) if played.code is None else played.code
