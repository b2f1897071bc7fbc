"""Who works in the generated clinic and who lies in it: names only, so that clients need no database library."""

from __future__ import annotations

import hashlib

CLINICIANS = 40
PATIENTS = 200


def secret_of(clinician: str) -> str:
    """The secret with which this clinician signs in: 128 bits that no human chose, the same in every lab."""
    return hashlib.sha256(f"dopasoins:{clinician}".encode()).hexdigest()[:32]


def digest_of(secret: str) -> str:
    """What the database keeps of a secret.

    One plain hash, no bcrypt: stretching protects words that people choose, and these secrets are 128 random
    bits. It would also spend a tenth of a second of the two cores on which the instruments run.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def clinician_ids() -> tuple[str, ...]:
    """`c001` to `c040`."""
    return tuple(f"c{n:03d}" for n in range(1, CLINICIANS + 1))


def patient_ids() -> tuple[str, ...]:
    """`p0001` to `p0200`."""
    return tuple(f"p{n:04d}" for n in range(1, PATIENTS + 1))
