"""Keeps the sandbox to the person at this computer: hosts, origins, content types, headers."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOREIGN_SITES = frozenset({"cross-site", "same-site"})
BOT_API_PATHS = ("/bot", "/file/bot")


def local_hosts(port: int) -> frozenset[str]:
    """The only Host values that are answered."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


def refusal(request: web.Request, hosts: frozenset[str]) -> tuple[int, str] | None:
    """Status and reason when `request` must not be served, else None."""
    if request.headers.get("Host", "").lower() not in hosts:
        return 421, "this address is not served here"
    if request.headers.get("Sec-Fetch-Site", "none") in FOREIGN_SITES:
        return 403, "requests from other sites are refused"
    if request.path.startswith(BOT_API_PATHS):
        return None
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
        return 403, "requests from other origins are refused"
    if request.method == "POST" and request.content_type != "application/json":
        return 415, "send application/json"
    return None


def protect(port_of: Callable[[], int]) -> Middleware:
    """The middleware; `port_of` tells the port once the server listens."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = refusal(request, local_hosts(port_of()))
        if refused is not None:
            status, reason = refused
            return web.json_response({"error": reason}, status=status)
        return await handler(request)

    return guard


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the protecting headers on every response (a response-prepare signal)."""
    response.headers.update(HEADERS)
