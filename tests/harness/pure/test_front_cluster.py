"""What `bascule cluster status` says."""

from __future__ import annotations

from lab.front.cluster import lines

AGENT = {"is_master": False, "is_isolated": False, "sees_storage": True}
IMAGES = {"number": 2, "state": "running", "healthy": True, "trouble": ""}


def test_each_host_and_its_servers_have_a_line() -> None:
    agents = {"esx-11": AGENT | {"is_master": True}, "esx-21": AGENT | {"sees_storage": False}, "esx-22": None}
    hypervisors = {
        "esx-11": {"guard": "run", "servers": {"imagerie": IMAGES}},
        "esx-21": {"guard": "run, take nothing over, report", "servers": {"x": IMAGES | {"healthy": False}}},
        "esx-22": None,
    }
    assert list(lines(agents, hypervisors)) == [
        "host esx-11: master",
        "  imagerie: serves, session 2",
        "host esx-21: sees no storage, run, take nothing over, report",
        "  x: running, session 2",
        "host esx-22: does not answer",
    ]
