"""The placebo scores that ship: how far baselines strayed on real meters where nothing was done."""

import json
from pathlib import Path
from typing import Any, Final

from config.tables import FOLDER

SHIPPED: Final = FOLDER / "placebos.json"


def load_placebos(file: Path = SHIPPED) -> dict[str, Any]:
    """Return the table as plain values; `python -m benchmarks.placebos` makes it anew."""
    table: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return table
