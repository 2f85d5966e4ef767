"""Token buckets that keep the bot inside Telegram's limits (wall clock, bounded memory)."""

from collections import OrderedDict

from core.clock import Clock

MOST_CHATS = 1000


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up."""

    def __init__(self, wall: Clock, rate: float, burst: float) -> None:
        self._wall = wall
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated = wall.monotonic()

    def wait_seconds(self) -> float:
        """How long until a token is there; 0 when one is there now."""
        self._refill()
        return max(0.0, (1 - self._tokens) / self._rate)

    def take(self) -> None:
        """Use one token; may leave a debt."""
        self._refill()
        self._tokens -= 1

    def pause(self, seconds: float) -> None:
        """No token for `seconds`."""
        self._refill()
        self._tokens = min(self._tokens, 1 - seconds * self._rate)

    def _refill(self) -> None:
        now = self._wall.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now


class ChatLimits:
    """One message a second per chat (a few at once), 25 a second in all."""

    def __init__(self, wall: Clock, *, per_chat: float = 1, burst: float = 4, total: float = 25):
        self._wall = wall
        self._per_chat = per_chat
        self._burst = burst
        self._all = TokenBucket(wall, total, total)
        self._chats: OrderedDict[int, TokenBucket] = OrderedDict()

    def wait_seconds(self, chat_id: int) -> float:
        """How long until a message to `chat_id` is allowed; 0 when it is now."""
        return max(self._all.wait_seconds(), self._chat(chat_id).wait_seconds())

    def take(self, chat_id: int) -> None:
        """Count one message."""
        self._all.take()
        self._chat(chat_id).take()

    def pause(self, chat_id: int, seconds: float) -> None:
        """Telegram asked for silence in this chat."""
        self._chat(chat_id).pause(seconds)

    def _chat(self, chat_id: int) -> TokenBucket:
        bucket = self._chats.get(chat_id)
        if bucket is None:
            bucket = self._chats[chat_id] = TokenBucket(self._wall, self._per_chat, self._burst)
            if len(self._chats) > MOST_CHATS:
                self._chats.popitem(last=False)
        return bucket
