"""The arbiters as a key-value store with compare-and-swap, by etcd's JSON gateway.

The gateway and not gRPC, which brings large libraries into each node for the two calls made here. A swap takes 3.8 ms
in the median (loopback, November 2026).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .asking import Connections, NoAnswerError, NotTakenError

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "/bascule/"
# Seconds for one arbiter to answer, before the next one is asked: one that is cut off from the two others must not cost
# a lease (1.6 s) by itself.
PATIENCE = 0.4
_TAKES = 0.1  # of them, seconds for one to take a connection: whoever cannot be reached says nothing at all
MOST = 128
"""Keys in one question or swap (etcd's default)."""


class KvUnreachableError(Exception):
    """No arbiter answered in time. A swap may have happened or not: read, to know."""


@dataclass(frozen=True)
class Entry:
    """A value, and the store's revision at which it was written; a key that does not exist has revision 0."""

    value: str = ""
    revision: int = 0


class Kv:
    """Reads and swaps that see every earlier swap.

    Args:
        arbiters: their URLs, such as http://10.77.1.15:2379, the nearest first.
    """

    def __init__(self, arbiters: Iterable[str]) -> None:
        self._arbiters = list(arbiters)
        self._connections = Connections(_TAKES, PATIENCE)

    async def read(self, *keys: str) -> dict[str, Entry]:
        """The entries of these keys, all of one revision.

        Raises:
            KvUnreachableError: no arbiter answered in time.
            ValueError: more keys than the arbiters take.
        """
        answer = await self._ask({"success": [{"request_range": {"key": _coded(PREFIX + key)}} for key in keys]})
        return {
            key: _entry(part["response_range"].get("kvs")) for key, part in zip(keys, answer["responses"], strict=True)
        }

    async def swap(self, expect: dict[str, int], put: dict[str, str]) -> int | None:
        """Write `put` if every key of `expect` still has its revision; the new revision, or None if one has another.

        Raises:
            KvUnreachableError: no arbiter answered in time; whether it was written is not known.
            ValueError: more keys than the arbiters take.
        """
        answer = await self._ask(
            {
                "compare": [
                    {"key": _coded(PREFIX + key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}
                    for key, revision in expect.items()
                ],
                "success": [
                    {"request_put": {"key": _coded(PREFIX + key), "value": _coded(value)}} for key, value in put.items()
                ],
            }
        )
        return int(answer["header"]["revision"]) if answer.get("succeeded") else None

    async def close(self) -> None:
        """Let go of the connections."""
        self._connections.close()

    async def _ask(self, transaction: dict[str, Any]) -> dict[str, Any]:
        """Ask the arbiter that answered last; one to which no connection is made is passed over at once.

        One that took the question and does not answer ends the call: it may have done what was asked.
        """
        if len(transaction["success"]) > MOST:
            raise ValueError(f"{len(transaction['success'])} keys at once; the arbiters take {MOST}")
        body = json.dumps(transaction).encode()
        for _ in self._arbiters:
            asked = self._arbiters[0]
            try:
                status, answer = await self._connections.post(asked, "/v3/kv/txn", body)
            except NotTakenError:
                self._pass_over(asked)
                continue
            except NoAnswerError as error:
                self._pass_over(asked)
                raise KvUnreachableError(f"no answer: {error}") from error
            if status == HTTPStatus.OK:
                found: dict[str, Any] = json.loads(answer)
                return found
            self._pass_over(asked)
            raise KvUnreachableError(f"refused: {answer[:200].decode(errors='replace')}")
        raise KvUnreachableError(f"none of {len(self._arbiters)} arbiters takes a connection")

    def _pass_over(self, arbiter: str) -> None:
        """Ask another one first from now on.

        Once, however many questions it leaves open: as many steps as there are arbiters would come back to it.
        """
        if self._arbiters[0] == arbiter:
            self._arbiters.append(self._arbiters.pop(0))


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _entry(found: list[dict[str, str]] | None) -> Entry:
    if not found:
        return Entry()
    return Entry(base64.b64decode(found[0].get("value", "")).decode(), int(found[0]["mod_revision"]))
