"""A restart test of a lone server that nobody outside can notice: from a copy of its volume, in a network of its own.

`python3 -m replica.lone.bubble TOLD`, TOLD the JSON of `{"config": what the server is told, "export": URI of an NBD
export to read, "size": bytes of the volume, "whole": the same with its metadata, "loops": [number, …]}`. It copies the
volume to a disk of the host's own, starts database and application on it where there is no wire, opens a record,
records an act, finds it again, and throws all away. It prints one line of JSON: `{"copied_s": …, "served_s": …,
"patients": …, "interfaces": […]}`.
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
from ..emr.store import engine_of
from ..pair.children import Child, stop
from ..pair.mariadb import cnf, command, prepare
from .config import read
from .server import WITHOUT_GALERA

_PACKAGE = str(__package__).rpartition(".")[0]  # `replica` within a node
_INSIDE = "--inside"
_NETWORK = "bubble"
_ANSWER, _CONFIG, _FILE = "answer.json", "server.json", "volume"


def run(told: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Copy the volume, carry it, and let the server work on it.

    Raises:
        subprocess.CalledProcessError: it cannot be copied, or the server does not work.
    """
    begun = time.monotonic()
    file = folder / _FILE
    with file.open("wb") as made:
        made.truncate(told["whole"])
    subprocess.run(["nbdcopy", "--destination-is-zero", told["export"], str(file)], check=True)
    copied = time.monotonic() - begun
    config = {**told["config"], "folder": str(folder), "disk": str(folder / "disk"), "listens": "127.0.0.1"}
    (folder / _CONFIG).write_text(json.dumps({**config, "rescue": None}), encoding="utf-8")
    socket, python = str(folder / "disk.sock"), (sys.executable, "-m")
    local = folder / "local.json"
    backing = {"socket": socket, "file": str(file), "size": told["size"], "template": None}
    local.write_text(json.dumps(backing), encoding="utf-8")
    carrier = folder / "carrier.json"
    carried = {
        "name": _NETWORK,
        "socket": socket,
        "mount": str(folder / "disk"),
        "loops": told["loops"],
        "program": (*python, f"{__package__}.bubble", str(folder), _INSIDE),
        "backing": (*python, f"{_PACKAGE}.array.local", str(local)),
        "network": _NETWORK,
    }
    carrier.write_text(json.dumps(carried), encoding="utf-8")
    subprocess.run([*python, f"{_PACKAGE}.disk.carrier", str(carrier)], check=True)
    return {**json.loads((folder / _ANSWER).read_text(encoding="utf-8")), "copied_s": round(copied, 3)}


async def inside(folder: Path) -> dict[str, Any]:
    """Start the server on its disk, and use it as a clinician would."""
    begun = time.monotonic()
    path = folder / _CONFIG
    config = read(path)
    await prepare(config, cnf(config, WITHOUT_GALERA))
    database = await Child(command(config), config.logs / "mariadb.log").start()
    words = (sys.executable, "-m", f"{_PACKAGE}.emr.serve", str(path))
    application = await Child(words, config.logs / "emr.log").start()
    try:
        await trial.works()
        served = time.monotonic() - begun
        found = trial.found(engine_of(json.loads(path.read_text(encoding="utf-8"))))
    finally:
        await stop(application, 3.0)
        await stop(database, 5.0)
    return {"served_s": round(served, 3), **found}


def main() -> None:
    """Make the bubble and go inside: this program again, in a network namespace of its own, on the carried disk."""
    if _INSIDE in sys.argv:
        folder = Path(sys.argv[1])
        (folder / _ANSWER).write_text(json.dumps(asyncio.run(inside(folder))), encoding="utf-8")
        return
    told = json.loads(sys.argv[1])
    folder = Path("/srv") / f"{_NETWORK}-{told['config']['server']}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["ip", "netns", "add", _NETWORK], check=True)
    try:
        subprocess.run(["ip", "-n", _NETWORK, "link", "set", "lo", "up"], check=True)
        found = run(told, folder)
    finally:
        subprocess.run(["ip", "netns", "delete", _NETWORK], check=True)
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found))  # noqa: T201 - the answer is what is printed


if __name__ == "__main__":
    main()
