"""Sets Tapedesk up and starts it: `python run.py`, or `python run.py test`.

Only the standard library, and only syntax that Python 3.6 reads, so that an old Python can still
say what is wrong with it.
"""

import os
import signal
import subprocess
import sys
import time

from infra.virtual_env import (
    MAKING_MODULES,
    ROOT,
    SUPPORTED,
    SetupError,
    child_environment,
    find_python,
    is_ready,
    is_usable,
    set_up,
    since,
    venv_python,
)

INTERRUPTED = 130
PASS_ON_AFTER_SECONDS = 1.5

HELP = """\
Tapedesk: a trading desk in a Telegram chat.

  python run.py [options]          open the desk (options below)
  python run.py doctor [options]   check everything the desk needs; says what to mend
  python run.py test               check and test everything: format, lint, types, imports, tests
  python run.py test -- -k words   the same checks, then only these tests (words go to pytest)

The first start makes .venv beside this file and installs the pinned packages into it. That takes
about a minute and needs the internet; later starts need neither.
"""

CHECKS = (
    ["ruff", "format", "--check", "."],
    ["ruff", "check", "."],
    ["mypy", "."],
    ["lint-imports"],
)
WHOLE_SUITE = ["--cov", "--cov-report=term:skip-covered"]
LINT_IMPORTS = ["-c", "from importlinter.cli import lint_imports_command as m; m()"]


def main(words: "list[str]") -> int:
    """Set up what `words` need, run it, return its exit code."""
    mode = "test" if words[:1] == ["test"] else "desk"
    if {"-h", "--help"}.intersection(words[: words.index("--")] if "--" in words else words):
        return show_help()
    try:
        if not is_ready(mode):
            if not is_usable(MAKING_MODULES):
                return run_child([*find_python(), __file__, *words])
            set_up(mode)
        if mode == "test":
            return run_tests(words[1:])
        return run_child([venv_python(), os.path.join(ROOT, "bot_main.py"), *words])
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return INTERRUPTED


def show_help() -> int:
    """Explain this script and the desk's options, without setting anything up."""
    print(HELP)
    if sys.version_info[:2] in SUPPORTED:
        from infra.command_line import desk_parser  # noqa: PLC0415 (needs a supported Python)

        desk_parser().print_help()
    return 0


def run_child(command: "list[str]", folder: "str | None" = None) -> int:
    """Run `command` to its end, whatever signals come meanwhile; its exit code.

    Ctrl-C reaches a child in the same terminal by itself. An interrupt of this process alone does
    not, so it is passed on: at once without a terminal, else if the child does not end soon.
    """
    children = []  # type: list[subprocess.Popen[bytes]]

    def pass_on(number: int) -> None:
        for child in children:
            child.send_signal(number)

    def interrupted(number: int, frame: object) -> None:
        if sys.platform != "win32":
            delay = PASS_ON_AFTER_SECONDS if in_foreground() else 0.001
            signal.setitimer(signal.ITIMER_REAL, delay)

    signal.signal(signal.SIGINT, interrupted)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, interrupted)
    else:
        signal.signal(signal.SIGALRM, lambda number, frame: pass_on(signal.SIGINT))
        signal.signal(signal.SIGTERM, lambda number, frame: pass_on(signal.SIGTERM))
        signal.signal(signal.SIGHUP, lambda number, frame: pass_on(signal.SIGTERM))
    children.append(subprocess.Popen(command, cwd=folder, env=child_environment()))
    code = children[0].wait()
    return code if code >= 0 else 128 - code


def in_foreground() -> bool:
    """Whether Ctrl-C in a terminal reaches this process and its child alike."""
    if sys.platform == "win32":
        return True
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def run_tests(words: "list[str]") -> int:
    """All checks in order, ending at the first that fails; `words` choose tests for pytest."""
    chosen = words[1:] if words[:1] == ["--"] else words
    started = time.monotonic()
    for check in (*CHECKS, ["pytest", *(chosen or WHOLE_SUITE)]):
        print("\n===", *check, flush=True)
        arguments = LINT_IMPORTS if check == ["lint-imports"] else ["-m", *check]
        code = run_child([venv_python(), *arguments], ROOT)
        if code:
            outcome = f"(exit code {code}, after {since(started)})"
            print("\nFAILED at:", *check, outcome, flush=True)
            return code
    print(f"\nPASSED: all {len(CHECKS) + 1} checks in {since(started)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
