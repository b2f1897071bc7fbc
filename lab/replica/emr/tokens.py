"""Session tokens which either member of the pair can check without asking anybody."""

from __future__ import annotations

import hashlib
import hmac
import time


class Tokens:
    """Sign and check tokens `clinician.expiry.signature` with the secret that both members share.

    Args:
        secret: key of the signature, the same on both members.
        lifetime: seconds for which a new token is good; a working day by default.
    """

    def __init__(self, secret: str, lifetime: int = 12 * 3600) -> None:
        self._key = secret.encode()
        self._lifetime = lifetime

    def sign(self, clinician: str) -> str:
        """A new token for this clinician."""
        claim = f"{clinician}.{int(time.time()) + self._lifetime}"
        return f"{claim}.{self._signature(claim)}"

    def clinician(self, token: str) -> str | None:
        """Who holds this token, or None if it is forged, broken or too old."""
        claim, _, signature = token.rpartition(".")
        clinician, _, expiry = claim.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(claim).encode()):
            return None
        return clinician if int(expiry) > time.time() else None

    def _signature(self, claim: str) -> str:
        return hmac.digest(self._key, claim.encode(), hashlib.sha256).hex()
