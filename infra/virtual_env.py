"""Makes and mends .venv: finds a supported Python, installs the pinned packages, explains faults.

Only the standard library, and only syntax that Python 3.6 reads: `run.py` uses it before anything
is installed, on whatever Python it was started with.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time

SUPPORTED = ((3, 14), (3, 13), (3, 12), (3, 11))
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "tapedesk-stamp.json")
INSTALL_LOG = os.path.join(VENV, "install.log")
LOCKS = {
    "desk": os.path.join(ROOT, "requirements.txt"),
    "test": os.path.join(ROOT, "tests", "requirements.txt"),
}
MAKING_MODULES = ("venv", "ensurepip")
PIP_DECIDED = "(?m)^(?:Collecting|Requirement already|Ignoring) "

# What pip writes when it fails, and what it means; the first that is found counts.
INSTALL_FAULTS = (
    ("No space left|not enough space|quota exceeded", "The disk is full: free some space."),
    (
        "DO NOT MATCH THE HASHES",
        "A download is not the package that was pinned: it is damaged, or something between this "
        "computer and the package index changes files.",
    ),
    (
        "CERTIFICATE_VERIFY|SSLError",
        "The secure connection was refused. Behind a company proxy, tell pip about its "
        "certificate (PIP_CERT).",
    ),
    (
        "Connection|Timeout|Proxy|Max retries|name resolution|getaddrinfo|unreachable",
        "The package index does not answer. Is this computer connected to the internet?",
    ),
    (
        "Permission denied|Access is denied|Read-only file system",
        "A file cannot be written. Is a desk still running? Who owns the folder?",
    ),
    (
        "No matching distribution|not a supported wheel",
        "A package has no build for this Python or this computer. 64-bit Python 3.13 from "
        "python.org has them all.",
    ),
)

GET_PYTHON = {
    "win32": "Install 64-bit Python 3.13 from https://www.python.org/downloads/ and run: py run.py"
    "\nIf typing python opens the Microsoft Store, that is only a placeholder: turn it off in"
    "\nSettings > Apps > Advanced app settings > App execution aliases.",
    "darwin": "Install it from https://www.python.org/downloads/ or with: brew install python@3.13"
    "\nThen run: python3.13 run.py",
    "linux": "Debian, Ubuntu: sudo apt install python3 python3-venv"
    "\nFedora: sudo dnf install python3",
}


class SetupError(Exception):
    """The environment cannot be made; says why and what to do."""


def is_usable(modules: "tuple[str, ...] | list[str]") -> bool:
    """Whether this interpreter can run the desk and has `modules`."""
    return (
        sys.version_info[:2] in SUPPORTED
        and sys.implementation.name == "cpython"
        and sys.maxsize > 2**32
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and all(importlib.util.find_spec(name) for name in modules)
    )


def another_is_usable(command: "list[str]", *modules: str) -> bool:
    """Whether the interpreter started by `command` is; a shim or store stub that fails is not."""
    code = "import sys; from infra import virtual_env as v; sys.exit(not v.is_usable(sys.argv[1:]))"
    try:
        done = subprocess.call(
            [*command, "-B", "-c", code, *modules], cwd=ROOT, env=child_environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return False
    return done == 0


def find_python() -> "list[str]":
    """The command of a supported Python on this computer; raises SetupError when there is none."""
    for major, minor in SUPPORTED:
        name = f"{major}.{minor}"
        for command in (["py", "-" + name], ["python" + name], ["/usr/bin/python" + name]):
            found = shutil.which(command[0])
            if found and another_is_usable([found, *command[1:]], *MAKING_MODULES):
                say(f"Using Python {name} ({found}).\n")
                return [found, *command[1:]]
    raise SetupError(explain_python())


def explain_python() -> str:
    """What is wrong with this Python, and the fix."""
    version = "{}.{}".format(*sys.version_info)
    if is_usable(()):
        return (
            f"This Python {version} cannot make virtual environments: its venv or ensurepip part "
            f"is missing.\nDebian, Ubuntu: sudo apt install python{version}-venv\n"
            "Then run the same command again."
        )
    return (
        f"Tapedesk needs a 64-bit CPython 3.11 to 3.14; this is {sys.implementation.name} "
        f"{version}, and no other was found.\n{GET_PYTHON.get(sys.platform, GET_PYTHON['linux'])}"
    )


def venv_python() -> str:
    """The interpreter inside .venv."""
    place = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return os.path.join(VENV, *place)


def fingerprint(mode: str) -> str:
    """Changes with the lock file and with the Python behind .venv; empty without a whole .venv."""
    try:
        config, content = read(os.path.join(VENV, "pyvenv.cfg")), read(LOCKS[mode])
    except OSError:
        return ""
    home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config)
    if not (home and os.path.isdir(home.group(1)) and os.path.isfile(venv_python())):
        return ""
    # A Python that was replaced in place shows by the name its link resolves to.
    identity = config + content + os.path.basename(os.path.realpath(venv_python()))
    return hashlib.sha256(identity.encode()).hexdigest()


def is_ready(mode: str) -> bool:
    """Whether .venv holds exactly what `mode` needs; costs a millisecond and no network."""
    try:
        stamp = json.loads(read(STAMP))
    except (OSError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get(mode) == fingerprint(mode) != ""


def set_up(mode: str) -> None:
    """Make or mend .venv and install what `mode` needs; raises SetupError."""
    say(f"Setting up in {VENV} (the first time: about a minute, with internet).\n")
    try:
        if os.path.exists(STAMP):
            os.remove(STAMP)
        if not another_is_usable([venv_python()], "pip"):
            make_venv()
        install(mode)
        stamp = {kind: fingerprint(kind) for kind in ("desk", mode)}
        with open(STAMP + ".new", "w", encoding="utf-8") as file:
            json.dump(stamp, file)
        os.replace(STAMP + ".new", STAMP)
    except OSError as error:
        raise SetupError(
            f"The setup stopped at a file: {error}.\n{VENV} must be in a place you can write to."
        ) from error


def make_venv() -> None:
    """A new, empty .venv."""
    say("  Making it with Python {}.{}.{} ...\n".format(*sys.version_info))
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    try:
        subprocess.check_output(command, stderr=subprocess.STDOUT, env=child_environment())
    except subprocess.CalledProcessError as error:
        output = error.output.decode("utf-8", "replace")
        raise SetupError(f"The environment could not be made:\n{output}") from error


def install(mode: str) -> None:
    """Install the pinned, hash-checked packages of `mode`; pip's story goes to INSTALL_LOG."""
    total = len(re.findall("(?m)^[A-Za-z]", read(LOCKS[mode])))
    command = [
        venv_python(), "-m", "pip", "install", "--require-hashes", "--no-input", "--retries", "2",
        "--timeout", "20", "--disable-pip-version-check", "--no-color", "-r", LOCKS[mode],
    ]  # fmt: skip
    started = time.monotonic()
    say(f"  Installing {total} packages ...")
    with open(INSTALL_LOG, "wb") as log:
        pip = subprocess.Popen(command, stdout=log, stderr=log, env=child_environment())
        while pip.poll() is None:
            try:
                pip.wait(0.5)
            except subprocess.TimeoutExpired:
                if sys.stdout.isatty():
                    ready = len(re.findall(PIP_DECIDED, read(INSTALL_LOG)))
                    say(f"\r  Installing {total} packages: {ready} found, {since(started)} ")
    say(f"\n  {'Failed' if pip.returncode else 'Done'} after {since(started)}.\n")
    if pip.returncode:
        raise SetupError(explain_install(read(INSTALL_LOG)))


def explain_install(output: str) -> str:
    """Why pip failed, from what it wrote."""
    cause = next((why for sign, why in INSTALL_FAULTS if re.search(sign, output)), output[-300:])
    return (
        f"The packages could not be installed. {cause}\n"
        f"Nothing else was changed; the same command tries again. Details: {INSTALL_LOG}"
    )


def read(path: str) -> str:
    """The text in the file at `path`."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def say(text: str) -> None:
    """Write `text` to the terminal, now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def since(started: float) -> str:
    """Whole seconds since a moment of the monotonic clock."""
    return f"{time.monotonic() - started:.0f} s"


def child_environment() -> "dict[str, str]":
    """The environment of everything started here: UTF-8, unbuffered, nobody else's packages."""
    foreign = {"PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
    environment = {key: value for key, value in os.environ.items() if key.upper() not in foreign}
    environment.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")
    return environment
