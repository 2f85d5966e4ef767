"""Starts the real desk, talks to it as a person would, kills it and starts it again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 40.0
ANSWER_SECONDS = 30.0
POLL_SECONDS = 0.05


class DeskProcess:
    """One desk home; the process over it can be started and ended as often as wanted."""

    def __init__(
        self,
        home: Path,
        *,
        options: tuple[str, ...] = (),
        through_run_script: bool = False,
        env: dict[str, str] | None = None,
    ) -> None:
        self.home = home
        self._script = "run.py" if through_run_script else "bot_main.py"
        self._options = options
        self._env = env or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self, **env: str) -> float:
        """Start and wait until the bot polls; the seconds it took."""
        self.port = _free_port()
        began = time.monotonic()
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        words = ["--home", str(self.home), "--port", str(self.port), "--no-browser"]
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / self._script), *words, *self._options],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**clean_environment(), **self._env, **env},
            start_new_session=True,
        )
        log.close()
        self.wait_for(lambda: self.get("/api/health").get("ready"), READY_SECONDS, "ready")
        return time.monotonic() - began

    def output(self) -> str:
        """Everything the desk printed so far."""
        return (self.home.parent / f"{self.home.name}.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        """SIGKILL, to the wrapper too where there is one."""
        os.killpg(self._need().pid, signal.SIGKILL)
        self._need().wait(10)

    def stop(self, *signals: int) -> tuple[int, float]:
        """Ask it to stop (SIGTERM unless others are named); exit code and seconds."""
        process = self._need()
        began = time.monotonic()
        for number in signals or (signal.SIGTERM,):
            process.send_signal(number)
        code = process.wait(15)
        return code, time.monotonic() - began

    def wait_dead(self, seconds: float) -> int:
        """Wait until it ends by itself (an armed kill point)."""
        return self._need().wait(seconds)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._need().pid

    def close(self) -> None:
        """End it in any case."""
        if self.running:
            self.kill()

    # As a person.

    def say(self, text: str, user: str = "owner") -> None:
        """Send a text."""
        self.post(f"/api/chats/{user}/messages", {"text": text})

    def tap(
        self, message: dict[str, Any], button: str, user: str = "owner", times: int = 1
    ) -> None:
        """Tap the button whose text starts with `button`."""
        self.post(
            f"/api/chats/{user}/taps",
            {"message_id": message["id"], "data": data_of(message, button), "times": times},
        )

    def messages(self, user: str = "owner") -> list[dict[str, Any]]:
        """The chat, oldest first."""
        found: list[dict[str, Any]] = self.get(f"/api/chats/{user}")["messages"]
        return found

    def toasts(self, user: str = "owner") -> list[str]:
        """Answers to taps."""
        found: list[str] = self.get(f"/api/chats/{user}")["toasts"]
        return found

    def venue(self) -> dict[str, Any]:
        """What the venue itself holds."""
        found: dict[str, Any] = self.get("/api/venue")
        return found

    def see(
        self, wanted: Callable[[dict[str, Any]], bool], what: str, user: str = "owner"
    ) -> dict[str, Any]:
        """Wait for the newest message that fits."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [m for m in self.messages(user) if wanted(m)]
            return bool(found)

        self.wait_for(look, ANSWER_SECONDS, what)
        return found[-1]

    def wait_for(self, condition: Callable[[], Any], seconds: float, what: str) -> None:
        """Poll until true; fails with the desk's own words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.running:
                raise AssertionError(f"the desk ended while waiting for {what}:\n{self.output()}")
            try:
                if condition():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"never saw {what}:\n{self._last_words()}")

    # HTTP.

    def get(self, path: str) -> Any:
        """GET JSON."""
        with urllib.request.urlopen(self._url(path), timeout=5) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON."""
        request = urllib.request.Request(
            self._url(path),
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def delete(self, path: str) -> Any:
        """DELETE, answered with JSON."""
        request = urllib.request.Request(self._url(path), method="DELETE")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _need(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise AssertionError("the desk was never started")
        return self._process

    def _last_words(self) -> str:
        try:
            last = [text_of(m)[:200] for m in self.messages()[-6:]]
        except (urllib.error.URLError, ConnectionError):
            last = []
        return "\n---\n".join([*last, self.output()[-3000:]])


def text_of(message: dict[str, Any]) -> str:
    """Text or caption."""
    return message["text"] or message["caption"] or ""


def buttons_of(message: dict[str, Any]) -> list[str]:
    """Button texts in reading order."""
    return [button["text"] for row in message["buttons"] for button in row]


def data_of(message: dict[str, Any], button: str) -> str:
    """Callback data of the button whose text starts with `button`."""
    for row in message["buttons"]:
        for candidate in row:
            if candidate["text"].startswith(button):
                data: str = candidate["data"]
                return data
    raise AssertionError(f"no button {button!r} in {buttons_of(message)}")


def has_button(message: dict[str, Any], button: str) -> bool:
    """Whether a button's text starts so."""
    return any(text.startswith(button) for text in buttons_of(message))


def clean_environment() -> dict[str, str]:
    """This machine's environment without any setting of a desk."""
    ours = ("DESK_", "TELEGRAM", "OWNER_", "BINANCE", "PAPER_", "RISK_", "SIGNALS_", "SANDBOX_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return kept | {"PYTHONUTF8": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
