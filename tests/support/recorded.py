"""Where the recorded market data lies: beside the project, never inside it."""

from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
