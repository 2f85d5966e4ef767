"""One Bot API call: its parameters and uploads, read the way Telegram reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from aiohttp import web

from infra.sandbox.telegram.faults import bad_request

T = TypeVar("T")
ATTACHMENT = "attach://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Parameters by name: strings from forms, any JSON value from JSON bodies."""

    values: Mapping[str, object]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A string parameter, or None."""
        value = self.values.get(name)
        if value is None:
            return None
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; anything unreadable counts as `default`, as in Telegram."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """A true/false parameter."""
        return (self.text(name) or "").strip().lower() in ("true", "1", "yes")

    def shape(self, name: str, kind: type[T], what: str) -> T | None:
        """A structured parameter (JSON text or JSON value), or None; `what` names it in faults."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, str):
                return msgspec.json.decode(value, type=kind)
            return msgspec.convert(value, type=kind)
        except (msgspec.DecodeError, msgspec.ValidationError) as e:
            raise bad_request(f"can't parse {what}: {e}") from e

    def upload(self, name: str) -> Upload | None:
        """The file sent as `name`, directly or through attach://."""
        if name in self.uploads:
            return self.uploads[name]
        reference = self.text(name) or ""
        return self.attachment(reference)

    def attachment(self, reference: str) -> Upload | None:
        """The file an attach:// reference points to."""
        if not reference.startswith(ATTACHMENT):
            return None
        return self.uploads.get(reference.removeprefix(ATTACHMENT))


async def read_call(request: web.Request) -> Call:
    """Read query, form, JSON or multipart parameters of `request`."""
    values: dict[str, object] = dict(request.query)
    if request.content_type == "application/json":
        return Call(values=values | _json_values(await request.read()))
    uploads: dict[str, Upload] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            uploads[name] = Upload(name=value.filename, content=value.file.read())
        elif isinstance(value, str):
            values[name] = value
        else:
            uploads[name] = Upload(name=name, content=bytes(value))
    return Call(values=values, uploads=uploads)


def _json_values(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError) as e:
        raise bad_request("can't parse request JSON object") from e
