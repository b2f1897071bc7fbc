"""The recovery plan of before, where no lab is needed: what is refused, and which room is the goal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.plan import load
from lab.recovery import RefusedError
from lab.recovery import load as runbook
from lab.recovery.site import is_away, is_unprotected, living, switch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PRA, TINY = load("pra-2009"), load("tiny")
SOURCE, TARGET, STOPPED = ({"role": role} for role in ("source", "target", "stopped"))


class Storage:
    """What the arrays and the controllers of a lab would say."""

    def __init__(
        self, active: str | None, roles: dict[str, dict[str, str] | None], *, serving: bool = True, at: int = 0
    ) -> None:
        self.active = active
        self.arrays = ["baie-1", "baie-2"]
        self.copying: Callable[[str], Any] = roles.get
        self.serves = lambda _controller: serving
        self.copied_ns = lambda _array: at


def lab(storage: Storage, *, plan: Any = PRA, healthy: bool = True) -> Any:  # noqa: ANN401 - as much of a lab as is asked for
    one = SimpleNamespace(server="dopasoins-1", host="esx-11", healthy=healthy)
    return SimpleNamespace(plan=plan, storage=storage, cluster=SimpleNamespace(running=lambda: [one]))


def refused(found: Any, book: str, tmp_path: Path, *, loss: int | None = 1) -> str:  # noqa: ANN401 - as above
    with pytest.raises(RefusedError) as error:
        switch(found, lambda *_: None, tmp_path / "recovery.json", loss_ns=loss, runbook=book)
    return str(error.value)


def test_the_shipped_runbooks_start_every_service_of_the_shipped_plan() -> None:
    for name in ("pra", "pra-migration", "pra-retour"):
        assert runbook(name).forgets(PRA.services, "power-on") == []


def test_a_runbook_that_forgets_a_principal_server_is_refused(tmp_path: Path) -> None:
    forgetful = tmp_path / "forgetful.yaml"
    forgetful.write_text(
        "name: forgetful\ntitle: t\ntitle_fr: t\nsteps:\n"
        "  - {name: record, says: s, says_fr: s, does: power-on, service: dopasoins}\n"
    )
    dark = lab(Storage(None, {"baie-2": TARGET}, at=1))
    assert "forgets imagerie: no step starts it" in refused(dark, str(forgetful), tmp_path)


def test_a_plan_that_mirrors_has_nowhere_to_go(tmp_path: Path) -> None:
    assert "the plan tiny does not replicate" in refused(lab(Storage("svc-1", {}), plan=TINY), "pra", tmp_path)


def test_nobody_goes_to_the_other_room_while_the_first_could_serve(tmp_path: Path) -> None:
    alive = lab(Storage("ctl-1", {"baie-1": SOURCE, "baie-2": TARGET}, at=1))
    assert refused(alive, "pra", tmp_path).startswith("salle-1 lives: dopasoins-1 runs on esx-11 and could serve")


def test_a_room_whose_volumes_nobody_serves_does_not_live() -> None:
    assert living(lab(Storage("ctl-1", {}, serving=False))) == ""


def test_nothing_starts_from_a_copy_that_was_never_complete(tmp_path: Path) -> None:
    dark = lab(Storage(None, {"baie-2": TARGET}))
    assert "baie-2 has never received a complete copy" in refused(dark, "pra", tmp_path)
    assert "no array that answers holds a copy" in refused(lab(Storage(None, {"baie-1": SOURCE})), "pra", tmp_path)


def test_a_planned_move_stops_nothing_whose_last_copy_could_not_be_made(tmp_path: Path) -> None:
    moved = lab(Storage("ctl-2", {"baie-1": SOURCE, "baie-2": STOPPED}))
    said = refused(moved, "pra-migration", tmp_path, loss=None)
    assert said.startswith("salle-2 serves, and is not copied to the other room: recover --runbook pra-reprotect")
    home = lab(Storage("ctl-1", {"baie-1": SOURCE, "baie-2": TARGET}))
    assert refused(home, "pra-retour", tmp_path, loss=None).startswith("salle-1 serves, or no room does")
    dark = lab(Storage(None, {"baie-2": TARGET}))
    assert refused(dark, "pra-migration", tmp_path, loss=None) == "no room serves: there is nothing to move"


def test_where_everything_is_and_whether_it_is_copied() -> None:
    home = lab(Storage("ctl-1", {"baie-1": SOURCE, "baie-2": TARGET}))
    away = lab(Storage("ctl-2", {"baie-1": SOURCE, "baie-2": STOPPED}))
    alone = lab(Storage("ctl-1", {"baie-1": STOPPED, "baie-2": SOURCE}))
    assert [is_away(found) for found in (home, away, alone)] == [False, True, False]
    assert [is_unprotected(found) for found in (home, away, alone)] == [False, False, True]
    assert not is_away(lab(Storage("svc-2", {}), plan=TINY))
