"""A line a scenario while it runs, in a terminal: what is broken, the freeze so far, what is awaited."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lab.front.campaign import CLEAR
from lab.front.verdicts import listeners_key

if TYPE_CHECKING:
    from lab.run import Scenario

EVERY = 0.5  # seconds between two looks; the pulse leaves a hundred rows a second
_AWAITED = {
    "observe": "until steady",
    "inject": "until it is felt",
    "proof": "held",
    "hold": "until timers run out",
    "steady": "served",
    "unsteady": "NOT served",
    "heal": "healing",
    "return": "judging",
}


class Freeze:
    """The longest time without a served pulse, so far."""

    def __init__(self, scenario: Scenario) -> None:
        self._history = scenario.history
        self._read = 0
        self._served = 0
        self.longest = 0.0

    def look(self, now: int) -> float:
        """Read what the pulse wrote since the last look; returns seconds."""
        if self._history.exists():
            with self._history.open("rb") as file:
                file.seek(self._read)
                *whole, _ = file.read().split(b"\n")
            self._read += sum(len(line) + 1 for line in whole)
            for line in whole:
                if line.startswith(b'{"k":"pulse"') and b'"o":"ok"' in line:
                    self._to(json.loads(line)["e"])
        if self._served:
            self.longest = max(self.longest, (now - self._served) / 1e9)
        return self.longest

    def _to(self, served: int) -> None:
        if self._served:
            self.longest = max(self.longest, (served - self._served) / 1e9)
        self._served = max(self._served, served)


class Live:
    """Draws the line from a thread of its own; the terminal is taken aside before pytest captures it."""

    def __init__(self, config: pytest.Config) -> None:
        self._screen = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._awaited = ""
        self._over = False
        self._drawn = False
        self._config = config
        config.stash.setdefault(listeners_key, []).append(self._heard)

    def _heard(self, scenario: Scenario, what: str, text: str) -> None:
        self._awaited = _AWAITED.get(what, text)
        self._over = what == "return"
        if what == "proof" and not text.startswith("injected"):
            self._awaited = "until the lab is whole" if text.startswith("after") else "healing"
        if self._thread is None:
            self._done.clear()
            self._thread = threading.Thread(target=self._draw, args=(scenario,), daemon=True)
            self._thread.start()

    def _draw(self, scenario: Scenario) -> None:
        freeze, begun = Freeze(scenario), time.monotonic()
        while not self._done.wait(EVERY):
            # Once the lab is whole the wards leave: no pulse any more is no freeze.
            so_far = freeze.longest if self._over else freeze.look(time.monotonic_ns())
            words = line(scenario, time.monotonic() - begun, so_far, self._awaited)
            self._screen.write(CLEAR + words[: shutil.get_terminal_size().columns - 1])
            self._screen.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> object:
        """Wipe the line when the scenario ends, before its verdict is printed."""
        try:
            return (yield)
        finally:
            if self._thread is not None:
                self._done.set()
                self._thread.join()
                self._thread = None
                self._screen.write(CLEAR)
                self._screen.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Note whether a line will be drawn."""
        self._drawn = "lab" in getattr(item, "fixturenames", ())

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self) -> None:
        """Leave the file's name that pytest has just written on a line of its own."""
        writer = self._config.get_terminal_writer()
        if self._drawn and writer.width_of_current_line:
            writer.line()

    def pytest_unconfigure(self) -> None:
        """Let go of the terminal."""
        self._screen.close()


def line(scenario: Scenario, seconds: float, freeze: float, awaited: str) -> str:
    """What is said while a scenario runs."""
    broken = f"{scenario.fault.partition('(')[0]} {', '.join(sorted(scenario.lost))}".strip() or "nothing broken yet"
    return f"  {scenario.id} {seconds:.0f} s: {broken}, freeze so far {freeze:.1f} s, {awaited}"
