"""The guard's table (DESIGN 6.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.replica.cluster.guard import Action, Session, decide, stops

SESSIONS = {"ours": Session.OURS, "over": Session.OVER, "unknown": Session.UNKNOWN}


@pytest.mark.parametrize(
    ("etcd", "answers", "alive", "policy", "action", "stopped"),
    [
        (True, True, True, "stop", Action.RUN, {"over"}),
        (True, False, True, "stop", Action.RUN, {"over"}),
        (True, True, False, "leave", Action.STOP_AND_RESTART_AGENT, {"ours", "over", "unknown"}),
        (False, True, True, "stop", Action.TAKE_NOTHING_OVER, {"over"}),
        (False, True, False, "stop", Action.STOP_UNPROVEN, {"over", "unknown"}),
        (False, False, True, "leave", Action.LEAVE_ON, {"over"}),
        (False, False, False, "leave", Action.LEAVE_ON, {"over"}),
        (False, False, True, "stop", Action.STOP_ALL, {"ours", "over", "unknown"}),
        (False, False, False, "stop", Action.STOP_ALL, {"ours", "over", "unknown"}),
    ],
)
def test_the_table(  # noqa: PLR0913 - a row of the table
    *, etcd: bool, answers: bool, alive: bool, policy: str, action: Action, stopped: set[str]
) -> None:
    found = decide(etcd_reached=etcd, isolation_answers=answers, agent_alive=alive, isolation_policy=policy)
    assert found is action
    assert stops(found, SESSIONS) == stopped


@given(etcd=st.booleans(), answers=st.booleans(), alive=st.booleans(), policy=st.sampled_from(("leave", "stop")))
def test_a_server_whose_session_is_over_is_stopped_whatever_else(
    *, etcd: bool, answers: bool, alive: bool, policy: str
) -> None:
    action = decide(etcd_reached=etcd, isolation_answers=answers, agent_alive=alive, isolation_policy=policy)
    assert "over" in stops(action, SESSIONS)
