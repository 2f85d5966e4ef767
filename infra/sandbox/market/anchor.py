"""The market pauses while the desk is off: where it stopped is kept in a small file."""

import asyncio
import json
import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Clocks

log = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
_MARGIN = 2
"""Saved times run ahead by this many save intervals, so a crash never turns time back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStart:
    """Where the market clock starts."""

    at: datetime
    continued: bool
    """False: the market begins at its epoch."""
    detail: str
    """Why, in words a person can read."""


class MarketAnchor:
    """Remembers how far the market got; `recording` identifies the one it plays, if any."""

    def __init__(self, path: Path, recording: str = "") -> None:
        self._path = path
        self._recording = recording

    def resume(self, default_epoch: datetime, seed: int) -> MarketStart:
        """Where to start: at or after everything shown before, else at `default_epoch`."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            kept_seed, at = int(kept["seed"]), datetime.fromisoformat(kept["resume_at"])
            same_market = kept.get("recording", "") == self._recording
        except FileNotFoundError:
            return MarketStart(at=default_epoch, continued=False, detail="a new market")
        except (OSError, ValueError, TypeError, KeyError) as e:
            log.warning("market anchor unreadable", extra={"error": type(e).__name__})
            return MarketStart(
                at=default_epoch, continued=False, detail="its file could not be read, so anew"
            )
        if not same_market:
            detail = "not the market played before, so anew"
            return MarketStart(at=default_epoch, continued=False, detail=detail)
        if kept_seed != seed:
            detail = f"seed {seed} instead of {kept_seed}, so anew"
            return MarketStart(at=default_epoch, continued=False, detail=detail)
        if at.tzinfo is None or at < default_epoch:
            return MarketStart(
                at=default_epoch, continued=False, detail="its file has an impossible time, so anew"
            )
        return MarketStart(at=at, continued=True, detail="continued where it stopped")

    def save(self, seed: int, resume_at: datetime) -> None:
        """Store atomically; raises OSError."""
        kept = {"seed": seed, "recording": self._recording, "resume_at": resume_at.isoformat()}
        text = json.dumps(kept)
        draft = self._path.with_name(self._path.name + ".new")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, self._path)

    async def run(self, clocks: Clocks, seed: int) -> None:
        """Save about once a wall second until cancelled, and exactly at the end."""
        last, advance = clocks.market.utc_now(), timedelta(seconds=SAVE_SECONDS)
        try:
            while True:
                now = clocks.market.utc_now()
                advance = max(advance, now - last)
                await asyncio.to_thread(self._try_save, seed, now + _MARGIN * advance)
                last = now
                await clocks.wall.sleep(SAVE_SECONDS)
        finally:
            self._try_save(seed, clocks.market.utc_now())

    def _try_save(self, seed: int, resume_at: datetime) -> None:
        try:
            self.save(seed, resume_at)
        except OSError as e:
            log.warning("market anchor not saved", extra={"error": str(e)})
