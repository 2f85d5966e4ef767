"""What the terminal says about pairing: the link to open, and who became the owner."""

from collections.abc import Callable


class PairingTerminal:
    """Satisfies `core.engine.pairing_desk.PairingTerminal`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._shown = False
        self.bot_name = ""
        """The bot's username; must be set before the first code is shown."""

    def show(self, code: str, lifetime_minutes: int) -> None:
        """The link; from the second one on it says that the earlier link is no longer good."""
        again = "The earlier pairing link no longer works; this one does." if self._shown else None
        self._shown = True
        self._say(pairing_text(self.bot_name, code, lifetime_minutes, again))

    def paired(self, name: str) -> None:
        """Who is the owner now."""
        self._say(f"Paired with {name}.")


def pairing_text(
    bot_name: str, code: str, lifetime_minutes: int, heading: str | None = None
) -> str:
    """The link and what to do with it."""
    return f"""
{heading or "This desk has no owner yet."} Open this link on the phone or computer where you
use Telegram, and tap Start there:

  https://t.me/{bot_name}?start=pair_{code}

Whoever opens it first becomes the owner, so keep it to yourself. It works once, for
{lifetime_minutes} minutes; then a new one appears here.
"""
