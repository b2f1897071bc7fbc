"""What the docs show works as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.waiting import wait_until

if TYPE_CHECKING:
    from lab.bench import Lab

DOCS = Path(__file__).parents[3] / "docs"


def block(page: str) -> str:
    """The first Python block of a page."""
    found = re.search(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_first_scenario_works_first_time_from_a_folder_of_its_own(tmp_path: Path) -> None:
    # One of its scenarios. Parting a living pair stalls now and then for longer than is accepted, on a loaded machine
    # (docs/known-limitations.md): that is the replica's verdict, which the gate must say, and no test of a page.
    (tmp_path / "test_mine.py").write_text(block("first-scenario.md"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--plan", "tiny", "test_mine.py", "-k", "esx-11"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert len(list(tmp_path.glob("runs/*-tiny/rapport.html"))) == 1


def test_the_fault_of_the_page_bites_and_heals(whole: Lab) -> None:
    told: dict[str, Any] = {"__name__": "page"}
    page = compile(block("write-a-fault.md"), "write-a-fault.md", "exec", dont_inherit=True)
    exec(page, told)  # noqa: S102 - our own page
    fault = told["Isolated"]("ultime-secours")
    fault.inject(whole)
    wait_until(lambda: fault.holds(whole).holds, within=2, because=lambda: fault.holds(whole).detail)
    fault.heal(whole)
    assert not fault.holds(whole).holds
    assert whole.levers.journal.is_clear
