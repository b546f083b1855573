"""What a run of kills saw, and what it must have seen to prove anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lineadmin.outbox import phase

PROVES_NOTHING = "proves nothing"


@dataclass(frozen=True)
class Floors:
    """Less than this proves nothing."""

    kills: int
    in_air: int  # kills that left a shipment in the air
    conflicts: int  # requests answered 409: LINE had them already
    leases: int  # leases taken back
    each_phase: int  # kills within planning, packing, claiming and recording, each

    @classmethod
    def for_kills(cls, kills: int) -> Floors:
        """Those of the long run (50 kills: 20, 10, 10, 1 each), in proportion."""
        return cls(kills, kills * 2 // 5, kills // 5, kills // 5, 1)


@dataclass
class Report:
    """What a run saw."""

    friends: int
    floors: Floors
    kills: int = 0
    web_kills: int = 0
    in_air: int = 0
    conflicts: int = 0
    leases_taken_back: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    events_answered: int = 0
    problems: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Add what the run failed to prove to its problems."""
        wanted = {
            "kills": (self.kills, self.floors.kills),
            "kills with a shipment in the air": (self.in_air, self.floors.in_air),
            "answers 409": (self.conflicts, self.floors.conflicts),
            "leases taken back": (self.leases_taken_back, self.floors.leases),
        }
        for name in phase.NAMES:
            wanted[f"kills within {name}"] = (self.phases[name], self.floors.each_phase)
        for name, (seen, floor) in wanted.items():
            if seen < floor:
                self.problems.append(f"{PROVES_NOTHING}: {seen} {name}, at least {floor} needed")

    def lines(self) -> Iterator[str]:
        """For people."""
        yield (
            f"{self.kills} kills of the worker, {self.web_kills} of the web process,"
            f" in {self.seconds:.0f} s; {self.in_air} left a shipment in the air"
        )
        hit = ", ".join(f"{name} {self.phases[name]}" for name in phase.NAMES)
        yield f"kills within: {hit}"
        yield (
            f"{self.conflicts} requests answered 409, {self.leases_taken_back} leases taken back,"
            f" {self.events_answered} webhook events answered and stored"
        )
        for problem in self.problems:
            yield f"FAILED: {problem}"
        if not self.problems:
            yield f"passed: {self.friends:,} phones have each of 2 messages exactly once"
