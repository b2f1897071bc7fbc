"""The segments of a failover, from what agents noted."""

from __future__ import annotations

from lab.failover import Mark, marks

BOOT = {"kind": "boot", "detail": "imagerie serves on esx-21"}
TOLD = [
    {"at": 90, "kind": "decide", "detail": "imagerie on esx-11, session 1"},
    {"at": 110, "kind": "detect", "detail": "esx-21 hears nothing of esx-11"},
    {"at": 160, "kind": "dead", "detail": "esx-11 is dead, says esx-21"},
    {"at": 161, "kind": "fence", "detail": "session 2 of imagerie ends the one of esx-11"},
    {"at": 162, "kind": "decide", "detail": "imagerie on esx-21, session 2"},
    {"at": 163, "kind": "start", "detail": "imagerie on esx-21, session 2"},
    {"at": 220, **BOOT},
    {"at": 230, "kind": "boot", "detail": "autre serves on esx-21"},
]


def test_each_segment_ends_once_and_the_last_server_ends_the_boot() -> None:
    assert [(mark.what, mark.at) for mark in marks(reversed(TOLD), 100)] == [
        ("detect", 160),
        ("fence", 161),
        ("decide", 162),
        ("boot", 230),
    ]


def test_where_no_server_was_started_there_is_no_failover() -> None:
    assert list(marks([line for line in TOLD if line["kind"] != "start"], 100)) == []
    assert list(marks(TOLD, 300)) == []


def test_the_report_reads_french() -> None:
    said = [mark.french for mark in marks(TOLD, 100)]
    assert said[0] == "esx-11 déclaré mort par esx-21"
    assert said[1] == "la session 2 de imagerie met fin à celle de esx-11"
    assert said[3] == "autre rend son service sur esx-21"
    assert Mark("boot", 1, "something new").french == "something new"
