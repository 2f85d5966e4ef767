"""`python -m tests.e2e.readme_picture`: takes the README's picture from a fresh sandbox."""

import shutil
import tempfile
from pathlib import Path

from tests.e2e.desk_process import ROOT, DeskProcess
from tests.e2e.eyes import browser_window

PICTURE = ROOT / "docs" / "pictures" / "first-minute.png"
SIZE = (430, 1180)


def main() -> None:
    """START, the practice card, Execute, the fill: then the picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        desk = DeskProcess(home)
        try:
            desk.start()
            with browser_window(f"http://127.0.0.1:{desk.port}/", "readme", SIZE, "dark") as eyes:
                eyes.tap("START")
                eyes.button("✅ Execute").wait_for(timeout=30_000)
                eyes.page.wait_for_timeout(1500)
                shutil.copy(eyes.picture("first-minute"), PICTURE)
        finally:
            desk.close()


if __name__ == "__main__":
    main()
