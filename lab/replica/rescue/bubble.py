"""A restart test of room three that nobody outside can notice: a copy of its database, in a network of its own.

`python3 -m replica.rescue.bubble CONFIG.json FOLDER`, CONFIG as the service's application in room three is told. It
copies the database as it is now, starts the copy and an application on it where there is no wire, opens a record,
records an act, finds it again, and throws all away. It prints one line of JSON: `{"service": …, "copied_s": …,
"served_s": …, "patients": …, "interfaces": […]}`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from ..emr import schema
from ..emr.people import secret_of
from ..emr.store import postgresql
from ..pair.children import Child, stop
from . import postgres

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_INSIDE = "--inside"
_CLINICIAN, _PATIENT, _NUMBER = "c001", "p0001", "restart-test"
_WITHIN = 30.0
_EVERY = 0.05
_ACT = {"patient": _PATIENT, "kind": "visite médicale", "note": "Essai de reprise, sans valeur."}


def copy(config: dict[str, Any], folder: Path) -> float:
    """Copy the running database; seconds that it took.

    Raises:
        subprocess.CalledProcessError: it cannot be copied.
    """
    begun = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.chown(folder, "postgres", "postgres")
    words = (
        "-h",
        config["postgresql"]["folder"],
        "-U",
        "postgres",
        "-D",
        f"{folder}/data",
        "-c",
        "fast",
        "-X",
        "stream",
    )
    subprocess.run(postgres.as_postgres(postgres.program("pg_basebackup"), *words), check=True, cwd="/")
    return time.monotonic() - begun


async def inside(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Start the copy and an application on it, and use them as a clinician would."""
    begun = time.monotonic()
    sockets = folder / "sockets"
    postgres.configure(folder / "data", sockets)
    service = config["postgresql"]["database"]
    told = {**config, "listens": "127.0.0.1", "postgresql": {"folder": str(sockets), "database": service}}
    path = folder / "application.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    database = await Child(postgres.command(folder / "data"), folder / "postgresql.log").start()
    application = await Child((sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(path)), folder / "emr.log").start()
    try:
        await _works()
        served = time.monotonic() - begun
        engine = postgresql(str(sockets), service, threads=0)
        with engine.connect() as connection:
            found = connection.execute(select(schema.acts.c.note).where(schema.acts.c.number == _NUMBER)).scalar_one()
            patients = connection.execute(select(func.count()).select_from(schema.patients)).scalar_one()
        if found != _ACT["note"]:
            raise RuntimeError(f"the act that was recorded reads {found!r}")
    finally:
        await stop(application, 3.0)
        await stop(database, 1.0)
    names = [name for _, name in socket.if_nameindex()]
    return {"service": service, "served_s": round(served, 3), "patients": patients, "interfaces": names}


async def _works() -> None:
    """Sign in, open a record, record an act: each must succeed once the application answers."""
    async with httpx.AsyncClient(base_url="http://127.0.0.1", trust_env=False, timeout=5.0) as client:
        async with asyncio.timeout(_WITHIN):
            while not await _healthy(client):  # noqa: ASYNC110 - another program makes it, nobody can set an event
                await asyncio.sleep(_EVERY)
        access = {"x-access": _NUMBER}
        secret = {"clinician": _CLINICIAN, "secret": secret_of(_CLINICIAN)}
        signed = await client.post("/sessions", json=secret, headers=access)
        signed.raise_for_status()
        headers = {**access, "authorization": f"Bearer {signed.json()['token']}"}
        for asked in (
            client.get(f"/patients/{_PATIENT}", headers=headers),
            client.put(f"/acts/{_NUMBER}", json=_ACT, headers=headers),
        ):
            (await asked).raise_for_status()


async def _healthy(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).is_success
    except httpx.TransportError:
        return False


def main() -> None:
    """Copy, then go inside: this program again, in a network namespace of its own."""
    path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    config = json.loads(path.read_text(encoding="utf-8"))
    if _INSIDE in sys.argv:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        print(json.dumps(asyncio.run(inside(config, folder))))  # noqa: T201 - the answer is what is printed
        return
    try:
        copied = copy(config, folder)
        words = (
            "unshare",
            "--net",
            "--",
            sys.executable,
            "-m",
            f"{__package__}.bubble",
            str(path),
            str(folder),
            _INSIDE,
        )
        done = subprocess.run(words, check=False, capture_output=True, text=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        sys.exit("".join(done.stderr.strip().splitlines()[-1:]))
    print(json.dumps({**json.loads(done.stdout), "copied_s": round(copied, 3)}))  # noqa: T201 - as above


if __name__ == "__main__":
    main()
