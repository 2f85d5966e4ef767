"""Planted mistakes the checker must catch: each one is a bug some real bot has shipped."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.engine.trading import TradingInputs
from core.errors import VenueUnavailableError
from core.model.order import OrderIntent, OrderRejected, RiskApproved, SubmitOutcome
from core.ports.journal import Claim


class Mutant(StrEnum):
    """Names for `--mutant`."""

    SKIP_INTENT = "skip_intent"
    RETRY_ON_TIMEOUT = "retry_on_timeout"
    NO_COMPARE_AND_SET = "no_compare_and_set"
    TIMEOUT_IS_FAILURE = "timeout_is_failure"
    NAKED_ENTRY = "naked_entry"


class _Wrapped:
    """Passes everything on to `inner`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _IntentCommittedLate(_Wrapped):
    """Journals the intent when the answer is there, not before the order leaves."""

    async def commit_intent(self, intent: OrderIntent) -> None:
        self._late = intent

    async def record_entry(self, *arguments: Any, **named: Any) -> Any:
        await self._inner.commit_intent(self._late)
        return await self._inner.record_entry(*arguments, **named)


class _RetryingBroker(_Wrapped):
    """Sends again when no answer came."""

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        for _ in range(3):
            try:
                answer: SubmitOutcome = await self._inner.submit(approved)
            except VenueUnavailableError:
                continue
            return answer
        raise VenueUnavailableError("no reply")


class _EveryTapWins(_Wrapped):
    """Forgets the compare-and-set and the unique intent id."""

    async def claim(self, signal_id: int, rev: int, user_id: int, at: datetime) -> Claim:
        claim: Claim = await self._inner.claim(signal_id, rev, user_id, at)
        return Claim(won=True, signal=claim.signal)


class _IntentsRepeat(_Wrapped):
    """Lets one intent id be committed again and again."""

    async def commit_intent(self, intent: OrderIntent) -> None:
        if await self._inner.intent(intent.id) is None:
            await self._inner.commit_intent(intent)


class _TimeoutIsFailure(_Wrapped):
    """A lost answer is booked as a refusal."""

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        try:
            answer: SubmitOutcome = await self._inner.submit(approved)
        except VenueUnavailableError:
            return OrderRejected(intent_id=approved.intent.id, code="timeout", text="Timed out.")
        return answer


class _StopForgotten(_Wrapped):
    """Sends the entry bare, the stop to follow."""

    async def submit(self, approved: RiskApproved) -> SubmitOutcome:
        bare = replace(approved, intent=replace(approved.intent, stop=None))
        answer: SubmitOutcome = await self._inner.submit(bare)
        return answer


def mutated(inputs: TradingInputs, mutant: Mutant | None) -> TradingInputs:
    """The inputs with one planted mistake, or as they are."""
    changes: dict[Mutant, dict[str, Any]] = {
        Mutant.SKIP_INTENT: {"orders": _IntentCommittedLate(inputs.orders)},
        Mutant.RETRY_ON_TIMEOUT: {"broker": _RetryingBroker(inputs.broker)},
        Mutant.NO_COMPARE_AND_SET: {
            "signals": _EveryTapWins(inputs.signals),
            "orders": _IntentsRepeat(inputs.orders),
        },
        Mutant.TIMEOUT_IS_FAILURE: {"broker": _TimeoutIsFailure(inputs.broker)},
        Mutant.NAKED_ENTRY: {"broker": _StopForgotten(inputs.broker)},
    }
    return inputs if mutant is None else replace(inputs, **changes[mutant])
