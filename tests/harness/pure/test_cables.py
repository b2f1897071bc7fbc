"""The monitor's decisions, in simulated time: two ends of two cables, told what a real wire would tell them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from lab.replica.cables import DEAD, HELLO, HOLD, Group

CABLES = 2


@dataclass
class Pair:
    """Two switches joined by parallel cables; `lost[cable][end]` is whether what leaves that end is lost."""

    ends: tuple[Group, Group] = field(
        default_factory=lambda: (Group(CABLES, leads=True), Group(CABLES, leads=False)),
    )
    lost: list[list[bool]] = field(default_factory=lambda: [[False, False] for _ in range(CABLES)])
    lit: list[bool] = field(default_factory=lambda: [True] * CABLES)
    now: float = 0.0

    def light(self, cable: int, *, up: bool) -> None:
        self.lit[cable] = up
        for end in self.ends:
            end.carrier(cable, up=up)

    def beat(self) -> None:
        """Both ends greet, hear what arrives, decide."""
        self.now += HELLO
        for sender in (0, 1):
            group, other = self.ends[sender], self.ends[1 - sender]
            for cable in range(CABLES):
                if self.lit[cable] and not self.lost[cable][sender]:
                    other.hello(cable, self.now, hears_us=group.hears(cable, self.now), names=group.chosen)
        for end in self.ends:
            end.decide(self.now)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / HELLO)):
            self.beat()

    @property
    def chosen(self) -> tuple[int, int]:
        return self.ends[0].chosen, self.ends[1].chosen


def test_both_ends_start_on_the_first_cable() -> None:
    pair = Pair()
    pair.run(1)
    assert pair.chosen == (0, 0)


def test_a_silent_cable_is_left_within_the_dead_time_and_two_hellos() -> None:
    pair = Pair()
    pair.run(1)
    pair.lost[0] = [True, True]
    pair.run(DEAD + 2 * HELLO)
    assert pair.chosen == (1, 1)


def test_a_cable_deaf_in_one_direction_is_left_by_both_ends() -> None:
    for deaf in (0, 1):
        pair = Pair()
        pair.run(1)
        pair.lost[0][deaf] = True
        pair.run(DEAD + 3 * HELLO)
        assert pair.chosen == (1, 1)


def test_a_cut_is_left_at_once_and_a_repaired_cable_must_prove_itself() -> None:
    pair = Pair()
    pair.run(1)
    pair.light(0, up=False)
    pair.beat()
    assert pair.chosen == (1, 1)
    pair.light(0, up=True)
    pair.run(HOLD - 3 * HELLO)
    assert pair.chosen == (1, 1)
    pair.run(6 * HELLO)
    assert pair.chosen == (0, 0)


def test_a_monitor_that_was_late_itself_accuses_nobody() -> None:
    pair = Pair()
    pair.run(1)
    late = 10 * DEAD
    pair.now += late
    for end in pair.ends:
        end.forgive(late)
        assert end.decide(pair.now) == 0


def test_without_forgiveness_the_late_monitor_would_accuse() -> None:
    """The planted defect of the test above."""
    pair = Pair()
    pair.run(1)
    pair.now += 10 * DEAD
    assert not pair.ends[0].hears(0, pair.now)


events = st.lists(
    st.tuples(st.sampled_from(["cut", "splice", "deafen", "restore"]), st.integers(0, CABLES - 1), st.integers(0, 1)),
    max_size=12,
)


@given(events, st.integers(0, CABLES - 1))
def test_whatever_happened_both_ends_agree_on_the_one_good_cable(
    happened: list[tuple[str, int, int]], good: int
) -> None:
    pair = Pair()
    for what, cable, end in happened:
        match what:
            case "cut" | "splice":
                pair.light(cable, up=what == "splice")
            case _:
                pair.lost[cable][end] = what == "deafen"
        pair.run(2 * HELLO)
    for cable in range(CABLES):
        pair.light(cable, up=cable == good)
        pair.lost[cable] = [False, False]
    pair.run(HOLD + DEAD + 4 * HELLO)
    assert pair.chosen == (good, good)
