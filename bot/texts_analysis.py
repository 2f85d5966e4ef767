"""What `/analyse` says: price and age, trend, order flow, levels, a plan or why not."""

from aiogram.utils.formatting import Bold, Pre, Text, as_list

from bot import formats
from bot.formats import CAPTION_LIMIT, grouped, plain, price, sentence, signed
from core.model.analysis import Analysis, FlowMissing, FlowReading, IndicatorReading, Trend
from core.model.events import FeedStatus
from core.model.instrument import Instrument
from core.model.market import Timeframe
from core.model.order import Refusal
from core.model.signal import NoSetup, Setup, Signal

FORGOTTEN_CARD = "This card is from before a restart. Send the market again, for example BTCUSD."
MARKETS = "📈 Which market? Tap one, or write for example BTCUSD h1."
_TRENDS = {Trend.UP: "Trend up ▲", Trend.DOWN: "Trend down ▼", Trend.FLAT: "No clear trend"}
_MOST_LEVELS = 3
_STALE = {
    FeedStatus.STARTING: "⚠ The price feed is still starting.",
    FeedStatus.STALE: "⚠ The price feed is stale: do not act on these numbers.",
    FeedStatus.DOWN: "⚠ The price feed is down: do not act on these numbers.",
}


def progress(instrument: Instrument, timeframe: Timeframe) -> str:
    """Shown while the card is being made."""
    return f"📥 {instrument.symbol} {timeframe} … reading the tape"


def unknown_instrument(text: str, nearest: tuple[str, ...]) -> str:
    """No such market, and what may have been meant."""
    asked = f"I do not know “{plain(text, 30)}”."
    if nearest:
        return f"{asked} Did you mean {' or '.join(nearest)}?"
    return f"{asked} These are the markets I follow:"


def caption(
    analysis: Analysis, offered: Signal | Refusal | None, watermark: str, *, drawn: bool
) -> Text:
    """The whole answer as a photo caption (<= 1024 units)."""
    head = [_title(analysis, watermark), Bold(_price_line(analysis))]
    tail = [*_plan(analysis, offered), *_last_lines(analysis, drawn=drawn)]
    room = CAPTION_LIMIT - len(as_list(*head, *tail)) - 1
    return as_list(*head, *formats.fitting(_readings(analysis), room), *tail)


def _title(analysis: Analysis, watermark: str) -> Text:
    name = plain(analysis.instrument.symbol, 12)
    return Text(Bold(f"📈 {name} · {analysis.timeframe}"), f" · {plain(watermark, 16)}")


def _price_line(analysis: Analysis) -> str:
    digits = analysis.instrument.price_digits
    if analysis.bid is None or analysis.ask is None:
        return "No price right now"
    quoted = f"{price(analysis.bid, digits)} / {price(analysis.ask, digits)}"
    if analysis.price_age_seconds is None:
        return quoted
    return f"{quoted} · price {formats.age(analysis.price_age_seconds)} old"


def _readings(analysis: Analysis) -> list[str]:
    """Warnings first: when room is short, they must survive."""
    warning = _STALE.get(analysis.feed)
    return [
        *([warning] if warning else []),
        *_indicator_lines(analysis),
        *_flow_lines(analysis),
        *_level_lines(analysis),
    ]


def _indicator_lines(analysis: Analysis) -> list[str]:
    reading = analysis.indicators
    if reading is None:
        return ["Trend and indicators: no closed bars yet."]
    values = " · ".join(_indicator_values(reading, analysis.instrument.price_digits))
    lines = [f"{values} ({reading.bars:,} closed bars)"] if values else []
    if reading.missing:
        lines.append("Not yet: " + ", ".join(plain(text, 60) for text in reading.missing[:4]))
    return lines


def _indicator_values(reading: IndicatorReading, digits: int) -> list[str]:
    values = [] if reading.trend is None else [_TRENDS[reading.trend]]
    if reading.rsi is not None:
        values.append(f"RSI {reading.rsi:.0f}")
    if reading.adx is not None:
        values.append(f"ADX {reading.adx:.0f}")
    if reading.atr is not None:
        values.append(f"ATR {price(reading.atr, digits)}")
    return values


def _flow_lines(analysis: Analysis) -> list[str]:
    flow = analysis.flow
    if isinstance(flow, FlowMissing):
        return [f"Order flow: {plain(flow.reason, 100)}"]
    window = f"Last {flow.seconds} s: {flow.trades:,} trades"
    parts = [window, f"CVD {signed(flow.cvd, 2)} {plain(analysis.instrument.base, 8)}"]
    if flow.flow_ratio is not None:
        parts.append(f"buys to sells {grouped(flow.flow_ratio, 1)} : 1")
    lines = [" · ".join(parts)]
    if flow.book_share is not None:
        lines.append(f"Order book: {_balance(flow.book_share)}")
    return lines + _flow_warnings(flow)


def _balance(share: float) -> str:
    return f"{formats.percent(share)} bids, {formats.percent(1 - share)} asks"


def _flow_warnings(flow: FlowReading) -> list[str]:
    lines = []
    if flow.gap:
        lines.append("⚠ Some trades are missing in this window.")
    if flow.proxy:
        lines.append("Order flow is read from a related market: a hint only.")
    return lines


def _level_lines(analysis: Analysis) -> list[str]:
    digits = analysis.instrument.price_digits
    named = (("Resistance", analysis.resistances), ("Support", analysis.supports))
    return [
        f"{name} " + " · ".join(price(level, digits) for level in levels[:_MOST_LEVELS])
        for name, levels in named
        if levels
    ]


def _plan(analysis: Analysis, offered: Signal | Refusal | None) -> list[Text]:
    setup = analysis.setup
    if isinstance(setup, NoSetup):
        because = sentence(setup.detail or setup.reason, 240)
        return [Text(Bold("No trade"), " because: ", because)]
    lines = [Text(Bold(_plan_title(setup))), Pre(_plan_levels(setup, analysis.instrument))]
    match offered:
        case Signal():
            lines.append(Text(f"🔔 Signal #{offered.id} waits for your decision: /signals"))
        case Refusal():
            lines.append(Text(f"No card: {sentence(offered.text, 160)}"))
    return lines


def _plan_title(setup: Setup) -> str:
    confidence = formats.percent(setup.confidence)
    return f"Plan: {setup.side.upper()} · confidence {confidence} · {plain(setup.strategy, 30)}"


def _plan_levels(setup: Setup, instrument: Instrument) -> str:
    digits = instrument.price_digits
    rows = [("Entry", price(setup.entry, digits)), ("Stop", price(setup.stop, digits))]
    rows += [("Target", price(target, digits)) for target in setup.targets[:_MOST_LEVELS]]
    return formats.table(rows)


def _last_lines(analysis: Analysis, *, drawn: bool) -> list[Text]:
    lines = [] if drawn else [Text("The chart could not be drawn; the numbers are complete.")]
    stamp = f"{analysis.at:%d %b %Y %H:%M:%S} UTC, market time"
    return [*lines, Text(stamp)]
