"""A restart test: use an application that nobody else sees as a clinician would, and look whether it worked."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import func, select

from . import schema
from .people import secret_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

_CLINICIAN, _PATIENT, _NUMBER = "c001", "p0001", "restart-test"
_WITHIN = 30.0
_EVERY = 0.05
_ACT = {"patient": _PATIENT, "kind": "visite médicale", "note": "Essai de reprise, sans valeur."}


async def works() -> None:
    """Sign in, open a record, record an act: each must succeed once the application answers on this machine's own port.

    Raises:
        TimeoutError: nothing answers.
        httpx.HTTPError: something failed.
    """
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


def found(engine: Engine) -> dict[str, Any]:
    """What is in its database, `{"patients": …, "interfaces": […]}`, with the network interfaces that it has.

    Raises:
        RuntimeError: the act that was recorded is not there.
    """
    with engine.connect() as connection:
        note = connection.execute(select(schema.acts.c.note).where(schema.acts.c.number == _NUMBER)).scalar_one()
        patients = connection.execute(select(func.count()).select_from(schema.patients)).scalar_one()
    if note != _ACT["note"]:
        raise RuntimeError(f"the act that was recorded reads {note!r}")
    return {"patients": patients, "interfaces": [name for _, name in socket.if_nameindex()]}
