"""Galera's words, read and written: positions, components, configuration."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.replica.pair import address, config, galera
from lab.replica.pair.galera import NOWHERE, Component, Position

if TYPE_CHECKING:
    from lab.replica.pair.config import ServerConfig

UUID = "874b048b-e7a4-11f1-9f41-0216047e4b57"


@pytest.fixture
def server(tmp_path: Path) -> ServerConfig:
    written = tmp_path / "server.json"
    written.write_text(
        '{"server": "dopasoins-1", "address": "10.77.4.21/22", "twin": "dopasoins-2", "twin_address": "10.77.4.22",'
        ' "arbitrator_address": "10.77.4.5", "virtual_address": "10.77.4.10/22", "folder": "/srv/dopasoins-1",'
        ' "template": "/opt/template", "secret": "s", "priority": 150, "bootstrap": true, "defects": ["a"],'
        ' "wards": ["10.77.4.50"], "unknown": 1}',
        encoding="utf-8",
    )
    return config.read_server(written)


def test_a_server_configuration_is_read_and_unknown_keys_are_left_alone(server: ServerConfig) -> None:
    assert server.address == IPv4Interface("10.77.4.21/22")
    assert server.twin_address == IPv4Address("10.77.4.22")
    assert (server.interface, server.priority, server.bootstrap, server.defects) == ("eth0", 150, True, ("a",))
    assert server.wards == (IPv4Address("10.77.4.50"),)


def test_the_recovered_position_is_the_last_one_printed() -> None:
    output = (
        "2026-11-24  1:22:50 0 [Note] WSREP: Recovered position: 00000000-0000-0000-0000-000000000000:-1\n"
        f"2026-11-24  1:22:50 0 [Note] WSREP: Recovered position: {UUID}:600\n"
    )
    assert galera.recovered(output) == Position(UUID, 600)


def test_a_database_that_recovers_nothing_stands_nowhere() -> None:
    assert galera.recovered("[ERROR] Can't init tc log\n[ERROR] Aborting\n") == NOWHERE
    assert not NOWHERE.known


@pytest.mark.parametrize(
    ("seqno", "position"), [("262", Position(UUID, 262)), ("-1", Position(UUID, -1)), ("", NOWHERE)]
)
def test_only_a_clean_stop_notes_a_position(seqno: str, position: Position) -> None:
    text = f"# GALERA saved state\nversion: 2.1\nuuid:    {UUID}\nseqno:   {seqno}\nsafe_to_bootstrap: 0\n"

    assert galera.clean_position(text) == position
    assert galera.clean_position(text).known == (seqno == "262")


@pytest.mark.parametrize(
    ("line", "component"),
    [
        (
            "2026-11-24 01:15:33.124  INFO: New COMPONENT: primary = yes, bootstrap = no, my_idx = 0, memb_num = 3",
            Component(primary=True, members=3),
        ),
        (
            "2026-11-24 01:45:38.443  INFO: New COMPONENT: primary = no, bootstrap = no, my_idx = 0, memb_num = 1",
            Component(primary=False, members=1),
        ),
        ("2026-11-24 01:45:38.442  INFO: view(view_id(NON_PRIM,ac891f11-b861,14) memb {", None),
    ],
)
def test_a_log_line_tells_the_component(line: str, component: Component | None) -> None:
    assert galera.component(line) == component


def test_both_members_and_the_arbitrator_share_one_tuning(server: ServerConfig) -> None:
    members = (IPv4Address("10.77.4.21"), IPv4Address("10.77.4.22"))
    arbitrator = config.ArbitratorConfig(IPv4Address("10.77.4.5"), members, Path("/srv/arbitrator"), Path("/srv/logs"))
    tuning = galera.options()

    assert tuning in galera.server_cnf(server)
    assert any(argument.startswith(tuning) for argument in galera.garbd(arbitrator))
    assert "gcomm://10.77.4.21,10.77.4.22" in galera.garbd(arbitrator)


def test_the_tuning_keeps_its_three_rules() -> None:
    seconds = {key: float(value[2:-1]) for key, value in galera.TUNING.items()}

    assert seconds["evs.join_retrans_period"] <= seconds["gmcast.peer_timeout"] / 2
    assert seconds["gmcast.peer_timeout"] <= seconds["evs.suspect_timeout"] / 2
    assert seconds["evs.suspect_timeout"] < seconds["evs.install_timeout"] < seconds["evs.inactive_timeout"]


def test_a_member_keeps_its_files_to_itself_and_answers_reads_in_step(server: ServerConfig) -> None:
    lines = galera.server_cnf(server).splitlines()

    assert "datadir=/srv/dopasoins-1/data" in lines
    assert "socket=/srv/dopasoins-1/mariadb.sock" in lines
    assert "wsrep_sync_wait=1" in lines
    assert "innodb_flush_log_at_trx_commit=1" in lines
    assert "wsrep_cluster_address=gcomm://10.77.4.21,10.77.4.22,10.77.4.5" in lines


def test_a_member_that_applies_nothing_holds_nobody_up(server: ServerConfig) -> None:
    assert "gcs.fc_limit=1000000;" in galera.server_cnf(server)


def test_a_member_with_a_disk_keeps_there_what_must_survive_and_nothing_else(server: ServerConfig) -> None:
    carried = replace(server, disk=Path("/srv/dopasoins-1/disk"))
    lines = galera.server_cnf(carried).splitlines()

    assert "datadir=/srv/dopasoins-1/disk/data" in lines
    assert carried.begun == Path("/srv/dopasoins-1/disk/begun")
    assert "socket=/srv/dopasoins-1/mariadb.sock" in lines
    assert "log-error=/srv/dopasoins-1/logs/mariadb.log" in lines
    assert "tmpdir=/srv/dopasoins-1/tmp" in lines
    assert server.begun == Path("/srv/dopasoins-1/begun")


@pytest.mark.parametrize("written", ['"/srv/dopasoins-1/disk"', "null"])
def test_a_server_is_told_its_disk_or_that_it_has_none(server: ServerConfig, tmp_path: Path, written: str) -> None:
    assert server.disk is None
    told = tmp_path / "server.json"
    told.write_text(told.read_text(encoding="utf-8")[:-1] + f', "disk": {written}}}', encoding="utf-8")

    assert config.read_server(told).disk == (Path("/srv/dopasoins-1/disk") if written != "null" else None)


def test_keepalived_follows_the_health_of_the_application(server: ServerConfig) -> None:
    text = address.conf(server, Path("/srv/dopasoins-1/address"))

    for expected in (
        "nopreempt",
        "advert_int 0.2",
        "unicast_src_ip 10.77.4.21",
        "10.77.4.22",
        "10.77.4.10/22 dev eth0",
        'file "/srv/dopasoins-1/address/serves"',
        'file "/srv/dopasoins-1/address/leaves"',
        "priority 150",
    ):
        assert expected in text


def test_keepalived_writes_nothing_outside_its_folder_and_forgets_old_pids() -> None:
    child = address.keepalived(Path("/srv/dopasoins-1/address"), Path("/srv/dopasoins-1/logs"))
    paths = [part.partition("=")[2] for part in child.command if "=" in part]

    assert all(path.startswith("/srv/dopasoins-1/address/") for path in paths)
    assert {str(path) for path in child.stale} == {path for path in paths if path.endswith(".pid")}
