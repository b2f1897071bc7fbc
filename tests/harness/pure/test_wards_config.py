"""What a client refuses to start with, and the sentence it says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lab.wards import Clinician, Config, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {
    "history": "/runs/history.jsonl",
    "ward": "cardiologie",
    "url_host": "10.77.4.10",
    "clinicians": [{"clinician": "c001", "secret": "s"}],
    "patients": ["p0001", "p0002"],
}


def test_what_is_not_said_has_the_plans_values() -> None:
    config = Config.of(GOOD)

    assert (config.port, config.connect_ms, config.answer_ms, config.patience_ms) == (80, 250, 2000, 10_000)
    assert (config.interval_ns, config.operation_interval_ns) == (10_000_000, 100_000_000)
    assert config.clinicians == (Clinician("c001", "s"),)
    assert config.tag != Config.of(GOOD).tag


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = Config.of({**GOOD, "rate": 0.5, "closed_loop": True, "retry": False, "tag": "x1"})
    path = tmp_path / "config.json"
    path.write_text(config.to_json(), encoding="utf-8")

    assert Config.load(path) == config


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("url_host", "dopasoins", "url_host is 'dopasoins'; it must be an IPv4 address"),
        ("ward", 'a"b', "ward is 'a\"b'; it must be 1 to 24 small letters, digits and hyphens"),
        ("ward", "c" * 25, "1 to 24 small letters"),
        ("port", 0, "port is 0; it must be a TCP port, 1 to 65535"),
        ("port", True, "port is True; it must be a whole number from 0"),
        ("rate", 0, "rate is 0; it must be a number of operations per second"),
        ("interval_ms", "10", "interval_ms is '10'; it must be a number of milliseconds"),
        ("interval_ms", float("nan"), "interval_ms is nan"),
        ("retry", "no", "retry is 'no'; it must be true or false"),
        ("patients", [], "patients is []; it must be a list of at least one patient's id"),
        ("patients", [7], "patients is 7; it must be a text"),
        ("clinicians", ["c001"], 'a list of at least one {"clinician": ..., "secret": ...}'),
        ("clinicians", None, "clinicians is None"),
        ("history", "", "history is ''; it must be a text"),
        ("speed", 3, "unknown key 'speed'; known: history, ward, url_host, clinicians, patients, port,"),
    ],
)
def test_each_bad_value_gets_its_sentence(key: str, value: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.of({**GOOD, key: value})

    assert sentence in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match="patients is missing"):
        Config.of({key: value for key, value in GOOD.items() if key != "patients"})


@pytest.mark.parametrize(("text", "sentence"), [("{", "cannot be read as JSON"), ("[]", "is a JSON object")])
def test_a_file_that_holds_no_configuration_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=sentence) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pulse", "/nowhere.json"], "/nowhere.json: cannot be read"),
        (["tide", "/nowhere.json"], "usage: python -m lab.wards pulse|journeys|rounds CONFIG.json"),
        ([], "usage: "),
    ],
)
def test_the_program_says_what_is_wrong_and_leaves_with_2(arguments: list[str], sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab.wards", *arguments], capture_output=True, text=True, timeout=20, check=False
    )

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
