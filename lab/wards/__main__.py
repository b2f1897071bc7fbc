"""`python -m lab.wards pulse|journeys CONFIG.json`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from .checks import ConfigError
from .config import Config
from .running import Kind, run

_WRONG_USE = 2


def main(arguments: list[str]) -> int:
    """Run a client; 0 when it ended as told, 2 with a sentence when it could not be told anything."""
    try:
        kind, path = arguments
        asyncio.run(run(Kind(kind), Config.load(Path(path))))
    except ValueError:
        print(f"usage: python -m lab.wards {'|'.join(Kind)} CONFIG.json", file=sys.stderr)  # noqa: T201 - a program
        return _WRONG_USE
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program
        return _WRONG_USE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
