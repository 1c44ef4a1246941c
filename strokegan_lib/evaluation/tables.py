"""Result files: a CSV of numbers and a card in JSON that says where they come from."""

import datetime
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from strokegan_lib.errors import writing
from strokegan_lib.files import write_whole


def write_csv(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write *lines*, whole or not at all (BadInput); floats get six digits, a missing entry stays empty."""
    import pandas

    rounded = [{k: round(v, 6) if isinstance(v, float) else v for k, v in line.items()} for line in lines]
    _write(path, pandas.DataFrame(rounded, dtype=object).to_csv(index=False, lineterminator="\n"))


def write_json(path: Path, card: dict[str, Any]) -> None:
    """Write *card*, whole or not at all (BadInput)."""
    _write(path, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def provenance(threads: int, precision: str) -> dict[str, str]:
    """When and on what a result was computed: so many CPU *threads* a run, arithmetic such as 'bf16'."""
    processor = f"{platform.machine()} CPU with {torch.backends.cpu.get_cpu_capability()}"
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else processor
    return {
        "date": datetime.date.today().isoformat(),
        "hardware": f"{device}, {os.cpu_count()} cores, {threads} thread(s) a run, {precision}",
        "torch": torch.__version__,
    }


def _write(path: Path, text: str) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
