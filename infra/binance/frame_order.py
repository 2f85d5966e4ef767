"""What each stream of a connection said last: repetitions and late books are no news; pure."""

from enum import StrEnum

from core.model.market import Book


class Unfit(StrEnum):
    """Why a frame that could be read is not used (reject reasons, like `RejectReason`)."""

    REPEATED = "repeated"
    DUPLICATE_TRADE = "duplicate_trade"
    LATE_BOOK = "late_book"
    LEAP = "leap"


class FrameOrder:
    """Follows streams by their numbers."""

    __slots__ = ("_book_ids", "_raw")

    def __init__(self) -> None:
        self._raw: dict[int, bytes] = {}
        self._book_ids: dict[int, int] = {}

    def connection_opened(self) -> None:
        """Another server may count its books otherwise; what it repeats is still no news."""
        self._book_ids.clear()

    def is_repeated(self, number: int, raw: bytes) -> bool:
        """Whether this stream's previous frame was the same to the byte."""
        if self._raw.get(number) == raw:
            return True
        self._raw[number] = raw
        return False

    def is_late(self, number: int, book: Book) -> bool:
        """Whether a newer book, or this one, came before."""
        if book.update_id <= self._book_ids.get(number, -1):
            return True
        self._book_ids[number] = book.update_id
        return False
