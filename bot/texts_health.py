"""`/health` in words."""

from aiogram.utils.formatting import Bold, Text, as_list

from bot import formats
from bot.formats import plain
from core.model.events import FeedStatus
from core.model.report import ComponentHealth, FeedHealth, HealthReport

_MARKS = {
    FeedStatus.LIVE: "🟢",
    FeedStatus.STARTING: "🟡",
    FeedStatus.STALE: "🟡",
    FeedStatus.DOWN: "🔴",
}
_SLOW_LOOP_MS = 100.0


def health(report: HealthReport) -> Text:
    """One line for each thing that can fail, trouble named."""
    lines = [
        Text(Bold("🩺 Health"), f" · {plain(report.mode, 30)}"),
        Text(_trading(report)),
        Text(_mark(report.telegram_ok), f" Telegram: {plain(report.telegram_detail, 120)}"),
        Text(_mark(report.journal_ok), f" Journal: {plain(report.journal_detail, 120)}"),
        Text(_mark(report.venue_ok), f" Venue: {plain(report.venue_detail, 120)}"),
        *([Text(f"🎞 Market: {plain(report.market_note, 240)}")] if report.market_note else []),
        *(Text(_feed(feed)) for feed in report.feeds),
        *(Text(_component(part)) for part in report.components if _troubled(part)),
        Text(_running(report)),
        _times(report),
    ]
    return as_list(*formats.fitting_texts(lines))


def _mark(good: bool) -> str:
    return "🟢" if good else "🔴"


def _trading(report: HealthReport) -> str:
    if not report.trading_enabled:
        return f"🔴 No new entries: {plain(report.trading_detail, 160)}"
    blind = [plain(f.instrument, 12) for f in report.feeds if f.status is not FeedStatus.LIVE]
    if blind and len(blind) == len(report.feeds):
        return "🟡 No new entries: no market has live prices"
    if blind:
        return f"🟡 Entries are allowed, but not in {', '.join(blind)} (no live prices)"
    locked = "" if report.trading_detail == "ready" else f" ({plain(report.trading_detail, 120)})"
    return f"🟢 Entries are allowed{locked}"


def _feed(feed: FeedHealth) -> str:
    age = "no price yet" if feed.age_seconds is None else f"{formats.age(feed.age_seconds)} old"
    parts = [f"{_MARKS[feed.status]} {plain(feed.instrument, 12)}: {feed.status}, {age}"]
    parts.append(f"{feed.bars:,} bars")
    counts = (("gap", feed.gaps), ("duplicate", feed.duplicates), ("reject", feed.rejects))
    parts += [f"{count:,} {name}{'s' if count != 1 else ''}" for name, count in counts if count]
    if feed.detail:
        parts.append(plain(feed.detail, 80))
    return " · ".join(parts)


def _troubled(part: ComponentHealth) -> bool:
    return not part.running or part.restarts > 0


def _component(part: ComponentHealth) -> str:
    state = "running" if part.running else "not running"
    again = f", restarted {part.restarts} ×" if part.restarts else ""
    error = f", last error: {plain(part.last_error, 100)}" if part.last_error else ""
    return f"{'🟡' if part.running else '🔴'} {plain(part.name, 30)}: {state}{again}{error}"


def _running(report: HealthReport) -> str:
    slow = report.loop_lag_max_ms > _SLOW_LOOP_MS
    lag = (
        f"{'🟡' if slow else '🟢'} Longest pause of the last minute {report.loop_lag_max_ms:.0f} ms"
    )
    waiting = f"{report.outbox_waiting:,} messages waiting" if report.outbox_waiting else ""
    return " · ".join(filter(None, (lag, waiting)))


def _times(report: HealthReport) -> Text:
    speed = "" if report.market_speed == 1 else f" at ×{report.market_speed:g}"
    up = f"Running for {formats.span(report.uptime_seconds)}"
    market = f"market time {report.market_time:%d %b %Y %H:%M:%S} UTC{speed}"
    return Text(up, " · ", market, " · now ", formats.at_second(report.wall_time))
