"""Every command that the docs show is one that the command line or make knows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lab.front.cli import parser

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
SHOWN = sorted({line.split("#")[0].strip() for line in re.findall(r"^    (bascule [^\n]*)", TEXT, re.MULTILINE)})
MADE = sorted(set(re.findall(r"(?:^    |`)make ([a-z]+)", TEXT, re.MULTILINE)))


@pytest.mark.parametrize("command", SHOWN)
def test_a_shown_command_is_understood(command: str) -> None:
    options, _ = parser().parse_known_args(shlex.split(command)[1:])
    assert callable(options.command)


def test_the_docs_show_commands_at_all() -> None:
    assert len(SHOWN) > 8
    assert {"gate", "test"} <= set(MADE)


@pytest.mark.parametrize("target", MADE)
def test_a_shown_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
