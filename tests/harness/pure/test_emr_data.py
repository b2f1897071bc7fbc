"""The generated clinic: the same for everybody, whole, and nobody real."""

from __future__ import annotations

from lab.replica.emr import data
from lab.replica.emr.people import clinician_ids, digest_of, patient_ids, secret_of


def test_the_same_seed_gives_the_same_clinic() -> None:
    assert data.generate(7) == data.generate(7)
    assert data.generate(7) != data.generate(8)


def test_no_id_comes_twice() -> None:
    clinic = data.generate()
    for rows, key in (
        (clinic.clinicians, "id"),
        (clinic.patients, "id"),
        (clinic.acts, "number"),
        (clinic.prescriptions, "number"),
    ):
        assert len({row[key] for row in rows}) == len(rows)


def test_it_is_the_size_of_a_clinic() -> None:
    clinic = data.generate()

    assert [row["id"] for row in clinic.clinicians] == list(clinician_ids())
    assert [row["id"] for row in clinic.patients] == list(patient_ids())
    assert (clinician_ids()[0], patient_ids()[-1]) == ("c001", "p0200")
    assert len(clinic.acts) >= 3 * len(clinic.patients)
    assert {row["patient"] for row in clinic.prescriptions} == set(patient_ids())


def test_the_database_keeps_no_secret() -> None:
    clinic = data.generate()

    assert clinic.clinicians[16]["digest"] == digest_of(secret_of("c017"))
    assert secret_of("c017") not in str(clinic.clinicians)
    assert len({secret_of(id_) for id_ in clinician_ids()}) == len(clinician_ids())
