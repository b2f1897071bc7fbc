"""What only a browser can tell: axe finds no violation, Allure's page calls nobody. `make test` brings one on Debian.

Elsewhere, where none is found, the standard-library checks of the other modules stand for these.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from typing import TYPE_CHECKING

import pytest

import reports
from reports import trend
from tests.harness.pure.reports_folder import STORIES, write_run

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = resources.files("axe_core_python") / "axe.min.js"
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no browser here")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
ASK = """<script>{axe}</script><script>
axe.run(document).then(found => {{
  const said = found.violations.map(one => [one.id, one.nodes.length, one.nodes[0].html]);
  document.body.innerHTML = "<pre id=said></pre>";
  document.getElementById("said").textContent = "AXE" + JSON.stringify([found.passes.length, said]) + "AXE";
}});
</script></body>"""


def browse(*arguments: str, profile: Path) -> str:
    assert CHROMIUM is not None
    command = (CHROMIUM, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=20000", *arguments)
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=180).stdout


def hosts(page: Path, profile: Path) -> set[str]:
    """Return the hosts that a page asked for while a browser showed it.

    Not the browser's own errands, which have no page as their initiator and come when they like.
    """
    log = profile.with_suffix(".json")
    browse(f"--log-net-log={log}", "--dump-dom", page.as_uri(), profile=profile)
    asked = re.findall(
        r'"initiator":"(?!not an origin")[^\n]*?"url":"https?://([^/"]+)', log.read_text("utf-8", "replace")
    )
    return set(asked)


@needs_browser
@pytest.mark.parametrize("which", ["fr", "en", "history"])
def test_axe_finds_no_violation(tmp_path: Path, which: str) -> None:
    run = write_run(tmp_path, *STORIES, change="CHG-1")
    page = trend.write(tmp_path) if which == "history" else reports.write(run, which)
    asked = tmp_path / "asked.html"
    asking = ASK.format(axe=AXE.read_text("utf-8"))
    asked.write_text(page.read_text("utf-8").replace("</body>", asking), "utf-8")

    said = browse("--dump-dom", asked.as_uri(), profile=tmp_path / "profile")

    answer = re.search(r"AXE(\[.*\])AXE", said)
    assert answer, said[-500:]
    passed, violations = json.loads(answer[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert violations == []
    assert passed > 20


@needs_browser
def test_axe_sees_a_planted_fault(tmp_path: Path) -> None:
    page = tmp_path / "asked.html"
    page.write_text('<html><body><img src="data:,x">' + ASK.format(axe=AXE.read_text("utf-8")), "utf-8")

    said = browse("--dump-dom", page.as_uri(), profile=tmp_path / "profile")

    assert '"image-alt"' in said
    assert '"html-has-lang"' in said


@needs_browser
def test_pages_call_nobody(tmp_path: Path) -> None:
    """The document's, and Allure's where it was fetched: a test that fetches it would fail with the network."""
    published = reports.publish(write_run(tmp_path, *STORIES))

    for page in filter(None, (published.document, published.allure)):
        assert hosts(page, tmp_path / page.stem) == set()


@needs_browser
def test_a_planted_call_is_heard(tmp_path: Path) -> None:
    page = tmp_path / "planted.html"
    page.write_text(
        '<html lang="fr"><img src="https://one.invalid/x" alt="x"><script>fetch("http://two.invalid")</script>'
    )

    assert hosts(page, tmp_path / "planted") == {"one.invalid", "two.invalid"}
