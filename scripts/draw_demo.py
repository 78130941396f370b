"""Draw the README's picture: what `practicefusion demo` prints, as an SVG.

python scripts/draw_demo.py docs/demo.svg
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 92


def main() -> None:
    """Run the demo, and write its output to the file named on the command line."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    ran = subprocess.run(
        [sys.executable, "-m", "practicefusion_connector.cli", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(ran.stdout))
    drawn = console.export_svg(title="practicefusion demo", unique_id="demo")
    # The fonts would be fetched from elsewhere; the reader's own monospaced one serves as well.
    own = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    Path(sys.argv[1]).write_text(own.replace("Fira Code", "ui-monospace"), "utf-8")


if __name__ == "__main__":
    main()
