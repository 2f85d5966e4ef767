"""The only start-up path: compare with the venue, put cards right, tell what was found."""

from datetime import datetime

from core.clock import Clock
from core.event_bus import EventBus
from core.execution import notices
from core.execution.position_reconciliation import PositionReconciliation, ReconciliationReport
from core.model.events import NoticesQueued
from core.model.notice import Notice, NoticePriority
from core.model.signal import SignalState
from core.ports.journal import OutboxStore, PositionStore, SettingStore, SignalStore

HEARTBEAT = "heartbeat"
HEARTBEAT_SECONDS = 5.0


class Boot:
    """Reconcile, re-render open cards, summarise the time away; then a heartbeat for next time."""

    def __init__(
        self,
        *,
        wall: Clock,
        bus: EventBus,
        reconciliation: PositionReconciliation,
        signals: SignalStore,
        positions: PositionStore,
        outbox: OutboxStore,
        settings: SettingStore,
    ) -> None:
        self._wall = wall
        self._bus = bus
        self._reconciliation = reconciliation
        self._signals = signals
        self._positions = positions
        self._outbox = outbox
        self._settings = settings

    async def run(self) -> ReconciliationReport | None:
        """Entries are allowed afterwards, unless the pass failed (it is then tried again)."""
        report = await self._reconciliation.attempt()
        now = self._wall.utc_now()
        stamp = now.isoformat()
        told: list[Notice] = [
            notices.card_edit_of(signal.id, f"boot:{stamp}")
            for signal in await self._signals.in_state(
                SignalState.OPEN, SignalState.DRIFTED, SignalState.EXECUTING, SignalState.UNKNOWN
            )
        ]
        last_seen = await self._settings.get(HEARTBEAT)
        if last_seen is not None:
            text = await self._summary(datetime.fromisoformat(last_seen), now, report)
            told.append(notices.plain(f"restart:{stamp}", text, NoticePriority.SIGNAL))
        await self._outbox.queue(told, now)
        self._bus.publish(NoticesQueued(at=now))
        return report

    async def heartbeat(self) -> None:
        """Remember every few seconds that the desk is alive."""
        while True:
            now = self._wall.utc_now()
            await self._settings.put(HEARTBEAT, now.isoformat(), now)
            await self._wall.sleep(HEARTBEAT_SECONDS)

    async def _summary(
        self, last_seen: datetime, now: datetime, report: ReconciliationReport | None
    ) -> str:
        away = (now - last_seen).total_seconds()
        positions = await self._positions.open()
        lines = [f"I am back. I was away for {describe_seconds(away)}."]
        if report is None:
            lines.append("The venue does not answer yet: no entries until it does.")
        else:
            lines += [*report.resolved, *report.breaks]
            lines += [f"{p.instrument} was closed meanwhile: {p.profit} USD" for p in report.closed]
        count = len(positions)
        lines.append(
            "No position is open."
            if not count
            else f"{count} position{'s' if count > 1 else ''} open, each with its stop: /positions"
        )
        return "\n".join(lines)


def describe_seconds(seconds: float) -> str:
    """'8 s', '4 min', '2 h 14 min', '3 d 2 h'."""
    whole = max(int(seconds), 0)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
