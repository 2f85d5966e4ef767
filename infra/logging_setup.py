"""Logs: quiet and readable on the terminal, JSON lines in rotating files, secrets in neither."""

import logging
import sys
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import Processor, WrappedLogger

from infra.redaction import Redactor

EventDict = MutableMapping[str, Any]

FILE_NAME = "desk.jsonl"
MEGABYTE = 1_000_000
NOISY = (
    "aiogram", "aiohttp.access", "aiosqlite", "apscheduler", "asyncio", "httpcore", "httpx",
    "matplotlib", "openai", "websockets",
)  # fmt: skip

log = logging.getLogger(__name__)


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record whose every value, traceback included, has been freed of secrets."""

    def __init__(self, redactor: Redactor, *, errors: Processor, renderer: Processor) -> None:
        super().__init__(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                _stamp,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                errors,
                self._hide_secrets,
                renderer,
            ]
        )
        self._redactor = redactor

    def _hide_secrets(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: self._redactor.hide_field(name, value) for name, value in event.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHandle:
    """Running logs; `close` puts logging back as it was."""

    handlers: tuple[logging.Handler, ...]
    levels_before: tuple[tuple[logging.Logger, int], ...]

    def close(self) -> None:
        """Flush and detach; a broken disk is not an error here either."""
        logging.captureWarnings(False)
        sys.excepthook = sys.__excepthook__
        for handler in self.handlers:
            logging.getLogger().removeHandler(handler)
            with suppress(OSError):
                handler.close()
        for logger, level in self.levels_before:
            logger.setLevel(level)


def setup_logging(
    *,
    folder: Path,
    level: str,
    max_megabytes: int,
    kept: int,
    secrets: Sequence[str] = (),
    terminal: TextIO | None = None,
) -> LogHandle:
    """Send all logs to `terminal` (from `level` up) and to a file (INFO, or `level` if lower).

    `secrets` are exact values that must never appear. Logging itself never raises, even when
    the disk is full: losing a line is better than losing the desk.
    """
    logging.raiseExceptions = False
    redactor = Redactor(secrets)
    on_terminal = _terminal_handler(terminal or sys.stderr, level, redactor)
    in_file = _file_handler(folder / FILE_NAME, max_megabytes * MEGABYTE, kept, redactor)
    in_file.setLevel(min(logging.INFO, on_terminal.level))
    noisy = tuple(logging.getLogger(name) for name in NOISY)
    root = logging.getLogger()
    handle = LogHandle(
        handlers=(on_terminal, in_file),
        levels_before=tuple((logger, logger.level) for logger in (root, *noisy)),
    )
    for handler in handle.handlers:
        root.addHandler(handler)
    root.setLevel(in_file.level)
    for logger in noisy:
        logger.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_crash
    return handle


def _terminal_handler(stream: TextIO, level: str, redactor: Redactor) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setLevel(level)
    # A person sees what went wrong; the steps that led there are in the file.
    errors: Processor = structlog.processors.format_exc_info
    if handler.level > logging.DEBUG:
        errors = _name_error
    pretty = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    handler.setFormatter(RedactingFormatter(redactor, errors=errors, renderer=pretty))
    return handler


def _file_handler(path: Path, max_bytes: int, kept: int, redactor: Redactor) -> logging.Handler:
    handler = RotatingFileHandler(
        path, maxBytes=max_bytes, backupCount=kept, encoding="utf-8", delay=True
    )
    lines = structlog.processors.JSONRenderer(ensure_ascii=False)
    errors = structlog.processors.format_exc_info
    handler.setFormatter(RedactingFormatter(redactor, errors=errors, renderer=lines))
    return handler


def _stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The moment the record was made, which may be before it is written."""
    made = datetime.fromtimestamp(event["_record"].created, UTC)
    event["timestamp"] = made.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _name_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        event["error"] = info[1]
    return event


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An uncaught error goes through the redacting handlers instead of straight to the terminal."""
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("the desk crashed", exc_info=(kind, error, trace))
