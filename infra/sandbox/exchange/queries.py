"""REST parameters read as Binance reads them, and its error bodies."""

import re
from collections.abc import Mapping

from core.model.instrument import MarketClass
from infra.sandbox.market.listing import Listing
from infra.sandbox.market.simulated import LENGTHS_MS
from infra.sandbox.market.source import MarketSource

_WHOLE = re.compile(r"[0-9]{1,20}")
_SYMBOL = re.compile(r"[A-Z0-9-_.]{1,20}")


class RequestRefusedError(Exception):
    """A request that Binance answers with `{"code": …, "msg": …}` and status 400."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Query:
    """The query of one request to one market class."""

    def __init__(
        self, market: MarketSource, market_class: MarketClass, values: Mapping[str, str]
    ) -> None:
        self._market = market
        self._class = market_class
        self._values = values

    def listing(self) -> Listing:
        """The symbol asked for, listed in this market class."""
        name = self._values.get("symbol", "")
        if not name:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            raise RequestRefusedError(-1102, text)
        if not _SYMBOL.fullmatch(name):
            raise _illegal("symbol", "^[A-Z0-9-_.]{1,20}$")
        symbol = name.lower()
        if symbol not in self._market.symbols():
            raise RequestRefusedError(-1121, "Invalid symbol.")
        listing = self._market.listing(symbol)
        if listing.market is not self._class:
            raise RequestRefusedError(-1121, "Invalid symbol.")
        return listing

    def has_symbol(self) -> bool:
        """Whether one symbol is asked for."""
        return "symbol" in self._values

    def interval(self) -> str:
        """The bar length asked for, e.g. '1m'."""
        name = self._values.get("interval", "")
        if not name:
            text = "Mandatory parameter 'interval' was not sent, was empty/null, or malformed."
            raise RequestRefusedError(-1102, text)
        if name not in LENGTHS_MS:
            raise RequestRefusedError(-1120, "Invalid interval.")
        return name

    def limit(self, default: int, maximum: int) -> int:
        """How many rows; too many is capped on spot and refused on futures."""
        asked = self.whole("limit")
        if asked is None:
            return default
        refused = asked < 1 or (asked > maximum and self._class is MarketClass.FUTURES)
        if refused:
            raise RequestRefusedError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(asked, maximum)

    def whole(self, name: str) -> int | None:
        """A whole number >= 0, or None when not sent."""
        text = self._values.get(name)
        if text is None:
            return None
        if text == "":
            raise RequestRefusedError(-1105, f"Parameter '{name}' was empty.")
        if not _WHOLE.fullmatch(text):
            raise _illegal(name, "^[0-9]{1,20}$")
        return min(int(text), 1 << 52)


def _illegal(name: str, legal: str) -> RequestRefusedError:
    text = f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    return RequestRefusedError(-1100, text)
