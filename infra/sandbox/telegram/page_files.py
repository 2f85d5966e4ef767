"""Serves the chat page: plain files of the `page` folder, nothing from elsewhere."""

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

FOLDER = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def add_page_routes(router: web.UrlDispatcher) -> None:
    """Serve `/` and the scripts and styles it names."""
    router.add_get("/", _serve("index.html"))
    router.add_get("/favicon.ico", _no_icon)
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in (".css", ".js"):
            router.add_get(f"/{path.name}", _serve(path.name))


def _serve(name: str) -> Handler:
    path = FOLDER / name

    async def page_file(request: web.Request) -> web.FileResponse:
        response = web.FileResponse(path)
        response.content_type = TYPES[path.suffix]
        response.charset = "utf-8"
        response.headers["Cache-Control"] = "no-cache"
        return response

    return page_file


async def _no_icon(request: web.Request) -> web.Response:
    return web.Response(status=204)
