"""`python run.py doctor`: checks everything at once, prints one line each, says what to mend."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from core.clock import Clock
from core.errors import SettingsError, StartupRefusedError
from infra.command_line import DeskOptions
from infra.desk_home import DeskHome
from infra.desk_plan import DeskPlan, plan_desk
from infra.doctor.binance_checks import check_clock, check_futures_stream, check_spot_stream
from infra.doctor.finding import Finding, Level, failure, good, skipped, warning
from infra.doctor.local_checks import (
    InspectJournal,
    check_folder,
    check_journal_file,
    check_packages,
    check_port,
    check_python,
)
from infra.doctor.telegram_check import check_telegram
from infra.settings import Settings, load_settings

LONGEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the doctor looks at."""

    options: DeskOptions
    env: Mapping[str, str]
    env_file: Path
    inspect_journal: InspectJournal
    wall: Clock


async def consult(patient: Patient, say: Callable[[str], None]) -> int:
    """Check, tell, and give the exit code: 0 when nothing failed, else 1."""
    found = await examine(patient)
    for finding in found:
        say(str(finding))
    failures = sum(finding.level is Level.FAIL for finding in found)
    warnings = sum(finding.level is Level.WARN for finding in found)
    say(_summary(failures, warnings))
    return 1 if failures else 0


async def examine(patient: Patient) -> list[Finding]:
    """All findings, in a fixed order."""
    system = [check_python(), await asyncio.to_thread(check_packages)]
    try:
        settings = load_settings(patient.env, patient.env_file)
        plan = plan_desk(patient.options, settings)
    except SettingsError as e:
        unknown = skipped("others", "the rest is checked when the settings are mended")
        return [*system, *(failure("settings", problem) for problem in e.problems), unknown]
    except StartupRefusedError as e:
        return [*system, failure("options", str(e))]
    kind = "sandbox (no token is set)" if plan.simulated else "real Telegram, paper account"
    local = await asyncio.to_thread(_check_here, plan, patient.inspect_journal)
    return [
        *system,
        good("settings", f"understood; the desk opens with: {kind}"),
        *local,
        *await _check_outside(plan, settings, patient.wall),
    ]


def _check_here(plan: DeskPlan, inspect: InspectJournal) -> list[Finding]:
    home = DeskHome(environment=plan.environment, folder=plan.root.absolute() / plan.environment)
    found = [
        *check_folder(home.folder),
        check_journal_file(home.journal, plan.environment, inspect),
    ]
    return [*found, check_port(plan.port)] if plan.simulated else found


async def _check_outside(plan: DeskPlan, settings: Settings, wall: Clock) -> list[Finding]:
    secret = settings.telegram_bot_token
    if plan.simulated or secret is None:
        return [skipped("network", "the sandbox needs none, so nothing outside was asked")]
    binance = settings.binance
    rest = (binance.spot_rest_url, binance.spot_rest_fallback_url)
    streams = (binance.spot_ws_url, binance.spot_ws_fallback_url)
    token = secret.get_secret_value()
    limit = aiohttp.ClientTimeout(total=LONGEST_SECONDS)
    async with aiohttp.ClientSession(timeout=limit) as session:
        return list(
            await asyncio.gather(
                _in_time("telegram", check_telegram(session, settings.telegram.api_base, token)),
                _in_time("history", check_clock(session, rest, wall)),
                _in_time("stream", check_spot_stream(streams)),
                _in_time("gold", check_futures_stream(binance.futures_public_ws_url), warning),
            )
        )


async def _in_time(
    topic: str, check: Awaitable[Finding], judge: Callable[[str, str], Finding] = failure
) -> Finding:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await check
    except TimeoutError:
        text = f"no answer within {LONGEST_SECONDS:.0f} s; check the network or a firewall"
        return judge(topic, text)


def _summary(failures: int, warnings: int) -> str:
    if failures:
        return f"\n{failures} to mend before the desk can do its work."
    if warnings:
        return f"\nThe desk can open; {warnings} to look at."
    return "\nAll is well."
