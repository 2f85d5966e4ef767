"""What the terminal says: a few plain words; everything else is in the chat."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import Mapping

from infra.desk_home import DeskHome
from infra.desk_plan import DeskPlan


def opened_with_paper_account(home: DeskHome, address: str) -> str:
    """The desk on the real Telegram."""
    return f"""
Tapedesk is open: {address}

  Market      live Binance streams (public data, no key)
  Account     paper money
  Files       {home.folder}

No real money is involved. Ctrl-C stops the desk.
"""


def opened_in_sandbox(plan: DeskPlan, home: DeskHome, address: str, market_detail: str) -> str:
    """Where the chat is and what is simulated."""
    market = "simulated" if plan.recording is None else f"recorded in {plan.recording.name}"
    return f"""
Tapedesk is open in its sandbox.

  Chat page   {address}
  Market      {market}, seed {plan.seed}, speed x{plan.speed:g} ({market_detail})
  Account     paper money
  Chat        a Telegram look-alike on this computer; the owner is you
  Files       {home.folder}

Nothing leaves this computer and no real money is involved. Ctrl-C stops the desk.
To use your phone, put TELEGRAM_BOT_TOKEN into .env (README, "Connect your phone").
"""


def say(text: str) -> None:
    """One line (or a few) to the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def open_page(address: str) -> None:
    """Show the chat page in the person's browser, where there are both."""
    if has_screen(sys.platform, os.environ, at_terminal=sys.stdout.isatty()):
        await asyncio.to_thread(webbrowser.open, address)


def has_screen(platform: str, env: Mapping[str, str], *, at_terminal: bool) -> bool:
    """Whether somebody sits there: a server must not start a browser, least of all a text one."""
    if not at_terminal:
        return False
    return not platform.startswith("linux") or bool(env.keys() & {"DISPLAY", "WAYLAND_DISPLAY"})
