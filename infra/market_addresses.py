"""Where the market is reached: at the sandbox exchange, or at Binance."""

from infra.binance.binance_rest import RestEndpoints
from infra.binance.stream_plan import StreamEndpoints
from infra.sandbox.exchange.server import SandboxExchange
from infra.settings import BinanceSettings


def market_addresses(
    binance: BinanceSettings, exchange: SandboxExchange | None
) -> tuple[StreamEndpoints, RestEndpoints]:
    """Stream and history addresses; the sandbox exchange must have been started."""
    if exchange is None:
        return StreamEndpoints(
            spot_ws=binance.spot_ws_url,
            futures_market_ws=binance.futures_market_ws_url,
            futures_public_ws=binance.futures_public_ws_url,
        ), RestEndpoints(spot=binance.spot_rest_url, futures=binance.futures_rest_url)
    return StreamEndpoints(
        spot_ws=exchange.spot_ws_base,
        futures_market_ws=exchange.futures_market_ws_base,
        futures_public_ws=exchange.futures_public_ws_base,
    ), RestEndpoints(spot=exchange.rest_base, futures=exchange.rest_base)
