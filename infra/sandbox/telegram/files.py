"""Photos and documents of the chats: small records in the store, bytes in a folder."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from infra.sandbox.telegram.faults import bad_request
from infra.sandbox.telegram.images import picture_size, picture_type
from infra.sandbox.telegram.records import RecordStore
from infra.sandbox.telegram.wire import Document, PhotoSize, Shape, to_json

FILES_KEPT = 200
PHOTO_BYTES = 10 * 1024 * 1024
DOCUMENT_BYTES = 50 * 1024 * 1024
LONGEST_SIDES = 10_000
STEEPEST_RATIO = 20
DOCUMENT_TYPE = "application/octet-stream"
PREFIX = "file/"


class KeptFile(Shape, frozen=True, kw_only=True):
    """One kept file; width and height are 0 for documents, size is in bytes."""

    file_id: str
    name: str
    media_type: str
    size: int
    width: int = 0
    height: int = 0


class FileShelf:
    """Keeps the newest files; what a bot sent once it may send again by its id."""

    def __init__(self, store: RecordStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._files: dict[str, KeptFile] = {}
        self._last = 0

    def restore(self, rows: Mapping[str, str]) -> None:
        """Read the records of an earlier run."""
        bodies = (body for key, body in rows.items() if key.startswith(PREFIX))
        files = [msgspec.json.decode(body, type=KeptFile) for body in bodies]
        for kept in sorted(files, key=_serial):
            self._files[kept.file_id] = kept
            self._last = _serial(kept)

    def find(self, file_id: str) -> KeptFile | None:
        """The record of a kept file."""
        return self._files.get(file_id)

    async def read(self, kept: KeptFile) -> bytes | None:
        """The bytes of a kept file."""
        return await self._store.read_file(self._path(kept.file_id))

    def add_photo(self, name: str, content: bytes) -> PhotoSize:
        """Keep a picture; raises BotApiError when Telegram would refuse it."""
        if len(content) > PHOTO_BYTES:
            raise bad_request(
                f"file of size {len(content)} bytes is too big for a photo; "
                f"the maximum size is {PHOTO_BYTES} bytes"
            )
        size = picture_size(content)
        if size is None or min(size) == 0:
            raise bad_request("IMAGE_PROCESS_FAILED")
        if sum(size) > LONGEST_SIDES or max(size) > STEEPEST_RATIO * min(size):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        return photo_size(self._keep("photo", name, content, picture_type(content), size))

    def add_document(self, name: str, content: bytes) -> Document:
        """Keep a file; raises BotApiError when Telegram would refuse it."""
        if not content:
            raise bad_request("file must be non-empty")
        if len(content) > DOCUMENT_BYTES:
            raise bad_request("file is too big")
        return document(self._keep("document", name, content, DOCUMENT_TYPE, (0, 0)))

    def _keep(
        self, kind: str, name: str, content: bytes, media_type: str, size: tuple[int, int]
    ) -> KeptFile:
        self._last += 1
        kept = KeptFile(
            file_id=f"{kind}-{self._last:09d}",
            name=Path(name).name or kind,
            media_type=media_type,
            size=len(content),
            width=size[0],
            height=size[1],
        )
        self._files[kept.file_id] = kept
        self._store.put_file(self._path(kept.file_id), content)
        self._store.put(PREFIX + kept.file_id, to_json(kept))
        while len(self._files) > FILES_KEPT:
            self._drop(next(iter(self._files)))
        return kept

    def _drop(self, file_id: str) -> None:
        del self._files[file_id]
        self._store.drop(PREFIX + file_id)
        self._store.drop_file(self._path(file_id))

    def _path(self, file_id: str) -> Path:
        return self._folder / file_id


def _serial(kept: KeptFile) -> int:
    return int(kept.file_id.split("-")[1])


def photo_size(kept: KeptFile) -> PhotoSize:
    """The kept picture as the Bot API shows it."""
    return PhotoSize(
        file_id=kept.file_id,
        file_unique_id=f"u-{kept.file_id}",
        width=kept.width,
        height=kept.height,
        file_size=kept.size,
    )


def document(kept: KeptFile) -> Document:
    """The kept file as the Bot API shows it."""
    return Document(
        file_id=kept.file_id,
        file_unique_id=f"u-{kept.file_id}",
        file_name=kept.name,
        mime_type=kept.media_type,
        file_size=kept.size,
    )
