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
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..emr import trial
from ..emr.store import postgresql
from ..pair.children import Child, stop
from . import postgres

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_INSIDE = "--inside"


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
        await trial.works()
        served = time.monotonic() - begun
        engine = postgresql(str(sockets), service, threads=0)
        found = trial.found(engine)
    finally:
        await stop(application, 3.0)
        await stop(database, 1.0)
    return {"service": service, "served_s": round(served, 3), **found}


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
