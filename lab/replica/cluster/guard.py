"""What the guard of a host does: the parent of the agent, so that a stuck agent keeps no server alive. Pure.

It looks every second or so, and is told: whether the arbiters answer, whether an isolation address does, whether the
agent has given a sign of life, and for each server here what is known of its session.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(Enum):
    """What to do with the host."""

    RUN = "run"
    TAKE_NOTHING_OVER = "run, take nothing over, report"
    STOP_AND_RESTART_AGENT = "stop all servers, restart the agent"
    STOP_UNPROVEN = "stop the servers whose session is not proven, restart the agent"
    LEAVE_ON = "isolated: leave the servers on"
    STOP_ALL = "isolated: stop all servers"


class Session(Enum):
    """What is known of a server's session."""

    OURS = "ours"
    """The record in the arbiters says so, or its storage has just answered."""
    OVER = "over"
    """The record has a newer one, or the storage refused it for good."""
    UNKNOWN = "unknown"


def decide(*, etcd_reached: bool, isolation_answers: bool, agent_alive: bool, isolation_policy: str) -> Action:
    """The table of three questions; `isolation_answers` and `etcd_reached` are lost only after their timers."""
    if etcd_reached:
        return Action.RUN if agent_alive else Action.STOP_AND_RESTART_AGENT
    if isolation_answers:
        return Action.TAKE_NOTHING_OVER if agent_alive else Action.STOP_UNPROVEN
    return Action.STOP_ALL if isolation_policy == "stop" else Action.LEAVE_ON


def stops(action: Action, sessions: Mapping[str, Session]) -> frozenset[str]:
    """The servers that are to be stopped. One whose session is over is, whatever the agent does."""
    if action in {Action.STOP_AND_RESTART_AGENT, Action.STOP_ALL}:
        return frozenset(sessions)
    doomed = {Session.OVER, Session.UNKNOWN} if action is Action.STOP_UNPROVEN else {Session.OVER}
    return frozenset(server for server, session in sessions.items() if session in doomed)
