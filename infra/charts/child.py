"""One chart worker process, seen from the desk."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from infra.charts.wire import HEAD, Answer, body_length, decode_answer

PROJECT_ROOT = Path(__file__).resolve().parents[2]
MODULE = "infra.charts.worker"
OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Windows only: keeps Ctrl-C of the desk's console away from the worker."""


class ChartChild:
    """Asks a worker and reads its answers, one at a time."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        requests: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._requests = requests
        self._answers = answers
        self._killed = False

    @classmethod
    async def spawn(cls) -> Self:
        """Start a worker; raises OSError. Its first answer says that it is ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT_ROOT,
            env={**os.environ, "PYTHONUTF8": "1"},
            creationflags=OWN_GROUP,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("the chart worker has no pipes")
        return cls(process, process.stdin, process.stdout)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the worker has neither been killed nor been seen to end."""
        return not self._killed and self._process.returncode is None

    async def send(self, frame: bytes) -> None:
        """Hand a request over; a dead worker is noticed by `answer`."""
        with suppress(ConnectionError):
            self._requests.write(frame)
            await self._requests.drain()

    async def answer(self) -> Answer | None:
        """The next answer; None when the worker is gone or talks nonsense."""
        try:
            head = await self._answers.readexactly(HEAD.size)
            return decode_answer(await self._answers.readexactly(body_length(head)))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            return None

    def kill(self) -> None:
        """End the worker now; harmless when it has ended."""
        self._requests.close()
        if self.alive:
            self._killed = True
            with suppress(ProcessLookupError):
                self._process.kill()

    async def gone(self) -> None:
        """Wait until the process has ended and its pipes are closed."""
        with suppress(ConnectionError):
            await self._answers.read()
        await self._process.wait()
        with suppress(ConnectionError):
            await self._requests.wait_closed()
