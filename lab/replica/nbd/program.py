"""How the storage programs run."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a program's main coroutine, on uvloop where it is installed: a third of asyncio's cost per request."""
    with contextlib.suppress(ImportError):
        importlib.import_module("uvloop").install()
    return asyncio.run(main)
