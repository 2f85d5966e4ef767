"""A model of one signal against the store, with every step raced by several tasks."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.model.signal import SignalState
from core.ports.journal import Claim
from db.connection import Journal
from tests.support.clock import START, ManualClock
from tests.support.journal_rows import new_signal

STATES = st.sampled_from(list(SignalState))


class SignalRaces(RuleBasedStateMachine):
    """The row moves only when a rule's expectation holds, and then for exactly one caller."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        path = Path(self.folder.name) / "journal.sqlite"
        self.opening = Journal.open(path, "sandbox", ManualClock())
        self.journal = self.runner.run(self.opening.__aenter__())
        signal = self.runner.run(self.journal.signals.add(new_signal()))
        assert signal is not None
        self.id = signal.id
        self.state, self.rev, self.taps, self.wins = SignalState.OPEN, 1, 0, 0

    def winners(self, claims: list[Claim]) -> int:
        return sum(claim.won for claim in claims)

    @rule(tasks=st.integers(1, 4), rev=st.integers(0, 3), seconds=st.sampled_from([0, 899, 900]))
    def tap(self, tasks: int, rev: int, seconds: int) -> None:
        at = START + timedelta(seconds=seconds)

        async def race() -> list[Claim]:
            store = self.journal.signals
            return await asyncio.gather(
                *(store.claim(self.id, self.rev - rev, user, at) for user in range(tasks))
            )

        possible = self.state is SignalState.OPEN and rev == 0 and seconds < 900
        assert self.winners(self.runner.run(race())) == int(possible)
        self.taps += tasks
        if possible:
            self.state, self.rev, self.wins = SignalState.EXECUTING, self.rev + 1, self.wins + 1

    @rule(tasks=st.integers(1, 4), expect=STATES, to=STATES, pinned=st.booleans())
    def change(self, tasks: int, expect: SignalState, to: SignalState, pinned: bool) -> None:
        async def race() -> list[Claim]:
            rev = self.rev if pinned else None
            calls = (
                self.journal.signals.change(self.id, expect=expect, to=to, at=START, rev=rev)
                for _ in range(tasks)
            )
            return await asyncio.gather(*calls)

        if expect is not self.state:
            winners = 0
        elif pinned or to is not expect:
            winners = 1
        else:
            winners = tasks
        assert self.winners(self.runner.run(race())) == winners
        if winners:
            self.state, self.rev = to, self.rev + winners

    @invariant()
    def row_is_the_model(self) -> None:
        async def look() -> tuple[SignalState, int, int, int]:
            signal = await self.journal.signals.get(self.id)
            assert signal is not None
            taps = await self.journal.database.fetch_all("SELECT won FROM taps")
            return signal.state, signal.rev, len(taps), sum(tap["won"] for tap in taps)

        assert self.runner.run(look()) == (self.state, self.rev, self.taps, self.wins)

    def teardown(self) -> None:
        self.runner.run(self.opening.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()


TestSignalRaces = SignalRaces.TestCase
TestSignalRaces.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
