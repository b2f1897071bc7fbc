"""A lone server: what it is told, its configuration, and how it says where its address is."""

from __future__ import annotations

import json
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from lab.fabric import lay_out
from lab.nodes.checking import HYPERVISOR
from lab.nodes.specs import PLAYED, spec
from lab.plan import load
from lab.replica.emr.watch import judge_alone
from lab.replica.lone.address import announcement
from lab.replica.lone.config import LoneConfig, read
from lab.replica.lone.server import WITHOUT_GALERA
from lab.replica.pair.mariadb import cnf, command

TOLD = {
    "server": "imagerie",
    "address": "10.77.4.31/22",
    "virtual_address": "10.77.4.9/22",
    "folder": "/srv/imagerie",
    "template": "/opt/template/data",
    "secret": "s",
    "interface": "eth0",
    "disk": "/srv/imagerie/disk",
    "defects": ["a"],
}


@pytest.fixture
def config(tmp_path: Path) -> LoneConfig:
    written = tmp_path / "imagerie.json"
    written.write_text(json.dumps(TOLD | {"unknown": 1}), encoding="utf-8")
    return read(written)


def test_a_lone_server_is_told_what_every_server_is(config: LoneConfig) -> None:
    assert config.virtual_address == IPv4Interface("10.77.4.9/22")
    assert (config.server, config.interface, config.defects) == ("imagerie", "eth0", ("a",))
    assert config.datadir == Path("/srv/imagerie/disk/data")


def test_its_database_is_durable_and_in_no_group(config: LoneConfig) -> None:
    lines = cnf(config, WITHOUT_GALERA).splitlines()

    assert "innodb_flush_log_at_trx_commit=1" in lines
    assert "datadir=/srv/imagerie/disk/data" in lines
    assert "socket=/srv/imagerie/mariadb.sock" in lines
    assert [line for line in lines if "wsrep" in line] == ["wsrep_on=OFF"]
    assert command(config)[-2:] == ("mariadbd", "--defaults-file=/srv/imagerie/my.cnf")


def test_a_database_in_no_group_serves_when_it_answers() -> None:
    state = judge_alone({"wsrep_cluster_status": "Disconnected", "wsrep_ready": "OFF"})

    assert state.serves
    assert (state.synced, state.group_size) == (True, 1)


def test_an_announcement_is_a_broadcast_that_names_sender_and_address() -> None:
    mac, address = bytes.fromhex("02ba0a4d041f"), bytes((10, 77, 4, 9))
    frame = announcement(mac, address, 1)

    assert frame.hex() == (
        "ffffffffffff" + "02ba0a4d041f" + "0806" + "0001080006040001"
        "02ba0a4d041f" + "0a4d0409" + "000000000000" + "0a4d0409"
    )
    assert announcement(mac, address, 2)[32:38] == b"\xff" * 6


@pytest.mark.parametrize(("name", "host"), [("tiny", "esx-21"), ("zero", "esx-22"), ("pca-2012", "esx-21")])
def test_its_host_is_told_to_start_it_on_its_volume(name: str, host: str, tmp_path: Path) -> None:
    plan = load(name)
    assert plan.host_of("imagerie") == host
    layout = lay_out(plan, [node.name for node in plan.nodes.values() if node.kind in PLAYED])
    told = spec(plan, layout, host, secret="s" * 2, defects=(), loops=(1,))["programs"]
    (hypervisor,) = [item["config"] for item in told if item["program"] == HYPERVISOR]
    alone = hypervisor["servers"]["imagerie"]

    assert alone["program"] == "replica.lone.server"
    assert alone["volume"]["mount"] == "/srv/imagerie/disk"
    written = tmp_path / "told.json"
    written.write_text(json.dumps(alone["config"]), encoding="utf-8")
    assert read(written).virtual_address.ip == plan.services["imagerie"].address
    assert "twin" not in alone["config"], "by which the application knows that it is in no group"
