"""The sandbox Telegram: Bot API, chat page and control interface on one local port."""

import errno
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import web

from core.clock import Clock
from core.errors import StartupRefusedError
from infra.sandbox.fault_switch import FaultSwitch, FaultSwitches
from infra.sandbox.telegram.bot_api import BotApi
from infra.sandbox.telegram.control_api import ControlApi, SetSpeed, Venue, explain_errors
from infra.sandbox.telegram.files import DOCUMENT_BYTES
from infra.sandbox.telegram.page_files import add_page_routes
from infra.sandbox.telegram.people import SandboxUser
from infra.sandbox.telegram.protections import add_headers, protect
from infra.sandbox.telegram.wire import User
from infra.sandbox.telegram.world import World

SHUTDOWN_SECONDS = 0.2
REQUEST_BYTES = DOCUMENT_BYTES + 1024 * 1024


class SandboxTelegram:
    """A Telegram of one's own for one bot and a few people.

    `bot_name` is the bot's username without "@", `venue` gives the JSON of `GET /api/venue`,
    `set_speed` changes the speed of the simulated market, `faults` are the other areas that
    misbehave on command.
    Port 0 takes any free port.
    """

    def __init__(
        self,
        *,
        token: str,
        bot_name: str,
        users: Sequence[SandboxUser],
        wall: Clock,
        venue: Venue,
        set_speed: SetSpeed,
        data_dir: Path,
        port: int,
        host: str = "127.0.0.1",
        bot_title: str = "Tapedesk",
        faults: Mapping[str, FaultSwitch] | None = None,
    ) -> None:
        bot = User(
            id=int(token.split(":", maxsplit=1)[0]),
            is_bot=True,
            first_name=bot_title,
            username=bot_name.removeprefix("@"),
        )
        self._world = World(bot=bot, users=tuple(users), wall=wall, data_dir=data_dir)
        self.faults = self._world.faults
        switches = FaultSwitches({**(faults or {}), "telegram": self.faults})
        self._control = ControlApi(self._world, venue, set_speed, switches)
        self._bot_api = BotApi(self._world, token)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """The address of the chat page and, for bots, of the Bot API."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Load the chats and listen; raises StartupRefusedError."""
        listener = self._listen()
        try:
            await self._world.open()
        except StartupRefusedError:
            listener.close()
            raise
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """End polls and streams, store what is left, stop listening."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        self._world.updates.close()
        self._control.close()
        await runner.cleanup()
        await self._world.store.close()

    def _listen(self) -> socket.socket:
        """Bind first: a second desk must not touch the first one's chats."""
        try:
            listener = socket.create_server((self._host, self._port))
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                reason = f"Port {self._port} is taken by another program."
            else:
                reason = f"Port {self._port} on {self._host} cannot be used ({e.strerror})."
            raise StartupRefusedError(f"{reason} Choose another one with --port N.") from e
        self._port = listener.getsockname()[1]
        return listener

    def _application(self) -> web.Application:
        application = web.Application(
            middlewares=[protect(lambda: self._port), explain_errors],
            client_max_size=REQUEST_BYTES,
        )
        application.on_response_prepare.append(add_headers)
        self._bot_api.add_routes(application.router)
        self._control.add_routes(application.router)
        add_page_routes(application.router)
        return application
