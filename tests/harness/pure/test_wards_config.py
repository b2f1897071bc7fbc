"""What a client refuses to start with, and the sentence it says."""

from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lab import private
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
    private.write(path, config.to_json())

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
        ("clinicians", None, 'clinicians must be a list of at least one {"clinician": ..., "secret": ...}'),
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
    private.write(path, text)

    with pytest.raises(ConfigError, match=sentence) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config.json"
    private.write(path, Config.of(GOOD).to_json())
    path.chmod(mode)

    with pytest.raises(ConfigError, match=rf"others may use it \(mode {mode:03o}\).*: chmod 600 {path}"):
        Config.load(path)


def test_a_file_with_secrets_replaces_one_that_was_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    private.write(path, "[]")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert private.read(path) == "[]"


@pytest.mark.parametrize("wrong", [[{"clinician": "c001", "secret": "planted", "mood": "good"}], {"c001": "planted"}])
def test_a_secret_is_not_in_the_sentence_that_refuses_it(wrong: object) -> None:
    with pytest.raises(ConfigError, match=r"^clinicians must be a list") as caught:
        Config.of({**GOOD, "clinicians": wrong})
    assert "planted" not in str(caught.value)


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
