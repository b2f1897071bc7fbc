"""How the harness's own tests run: a slow machine fails none of them, so no example has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bascule", deadline=None)
settings.load_profile("bascule")
