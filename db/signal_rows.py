"""Rows of the signals table and the values they stand for."""

import json
from decimal import Decimal

from core.model.instrument import Venue
from core.model.market import Timeframe
from core.model.signal import NewSignal, PriceLevel, Side, Signal, SignalKind, SignalState
from core.model.values import Money, Price, Quantity
from db.columns import (
    maybe_moment,
    micros,
    moment_of,
    texts,
    texts_of,
)
from db.database import Row, SqlValue


def signal_values(new: NewSignal) -> dict[str, SqlValue]:
    """The columns of a new signal: state open, rev 1."""
    return {
        "key": new.key,
        "kind": new.kind.value,
        "strategy": new.strategy,
        "instrument": new.instrument,
        "timeframe": new.timeframe.value,
        "side": new.side.value,
        "entry": str(new.entry.price),
        "entry_origin": new.entry.origin.value,
        "stop": str(new.stop.price),
        "stop_origin": new.stop.origin.value,
        "targets": json.dumps([[str(t.price), t.origin.value] for t in new.targets]),
        "quantity": str(new.quantity),
        "risk_cents": new.risk.cents,
        "risk_asked_cents": new.risk_asked.cents,
        "confidence": new.confidence,
        "reasons": texts(new.reasons),
        "warnings": texts(new.warnings),
        "drift_limit": format(new.drift_limit, "f"),
        "created_at": micros(new.created_at),
        "created_market_at": micros(new.created_market_at),
        "expires_at": micros(new.expires_at),
        "replaces": new.replaces,
        "state": SignalState.OPEN.value,
        "rev": 1,
    }


def signal_of(row: Row) -> Signal:
    """The signal a row stands for."""
    return Signal(
        id=row["id"],
        key=row["key"],
        kind=SignalKind(row["kind"]),
        strategy=row["strategy"],
        instrument=row["instrument"],
        timeframe=Timeframe(row["timeframe"]),
        side=Side(row["side"]),
        entry=_level(row["entry"], row["entry_origin"]),
        stop=_level(row["stop"], row["stop_origin"]),
        targets=tuple(_level(price, origin) for price, origin in json.loads(row["targets"])),
        quantity=Quantity.of(row["quantity"]),
        risk=Money.of_cents(row["risk_cents"]),
        risk_asked=Money.of_cents(row["risk_asked_cents"]),
        confidence=row["confidence"],
        reasons=texts_of(row["reasons"]),
        warnings=texts_of(row["warnings"]),
        drift_limit=Decimal(row["drift_limit"]),
        created_at=moment_of(row["created_at"]),
        created_market_at=moment_of(row["created_market_at"]),
        expires_at=moment_of(row["expires_at"]),
        state=SignalState(row["state"]),
        rev=row["rev"],
        state_reason=row["state_reason"],
        acted_by=row["acted_by"],
        acted_at=maybe_moment(row["acted_at"]),
    )


def _level(price: str, origin: str) -> PriceLevel:
    return PriceLevel(price=Price.of(price), origin=Venue(origin))
