"""A cell's training outlives an interruption, and nothing else: whatever differs starts afresh."""

import hashlib
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

import strokegan_lib
from strokegan_lib.classroom import KeptRuns, checkpoints
from strokegan_lib.classroom.checkpoints import Stopped, fingerprint, run_folder
from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.segmentation import METHODS, SegmentationGAN
from strokegan_lib.training.settings import Settings

STEPS = 4

MakeLoop = Callable[..., Loop]


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for what is kept."""
    torch.set_num_threads(1)
    monkeypatch.setenv("STROKEGAN_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def make_loop(phantom: SliceSet) -> MakeLoop:
    def make(*, method: str = "masked", first: int = 0, rows: Any = None, batches: Any = None, objective: Any = None, **settings: Any) -> Loop:  # fmt: skip
        torch.manual_seed(first)
        rows = phantom.of_split("train") if rows is None else rows
        return Loop(
            SegmentationGAN(replace(METHODS[method], width=4), objective=objective),
            Batches(phantom, rows, **{"size": 2, "augmentation": Augmentation(), **(batches or {})}),
            Settings(**{"steps": STEPS, **settings}),
            accelerator("fp32"),
            bar=False,
        )

    return make


def ends(loop: Loop, step: int, how: Callable[[], Any]) -> Loop:
    """The same loop, in which *how* happens within step number *step* (1, 2, ...)."""
    original = loop.batches.batch
    loop.batches.batch = lambda number: (number == step - 1 and how()) or original(number)
    return loop


def interrupt() -> None:
    """The reader presses Interrupt."""
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("step", "how", "end"),  # the reader presses Interrupt; the kernel has no time to write anything
    [(2, interrupt, f"after step 2 of {STEPS}.*goes on"), (3, lambda: 1 / 0, "division by zero")],
)
def test_an_interrupted_cell_goes_on_where_it_was(
    make_loop: MakeLoop, runs: Path, capsys, monkeypatch, step: int, how: Callable, end: str
):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)  # a checkpoint after every step
    with pytest.raises((Stopped, ZeroDivisionError), match=end), KeptRuns("nb") as kept:
        kept.run(make_loop(), "a")
        kept.run(ends(make_loop(method="unet"), step, how), "b")
    capsys.readouterr()
    with pytest.raises(LookupError), KeptRuns("nb") as kept:
        assert len(kept.run(ends(make_loop(), 1, lambda: 1 / 0), "a").rows) == STEPS
        assert kept.run(make_loop(method="unet"), "b").step == STEPS
        raise LookupError  # an error in the cell keeps what was learnt
    said = capsys.readouterr().out
    assert said == "".join(f"goes on after step {step} of {STEPS}\n" for step in (STEPS, 2))
    assert list(runs.rglob("*.pt"))
    with KeptRuns("nb") as kept:  # other weights start afresh
        assert kept.run(make_loop(first=1), "a").rows[0]["step"] == 0
    assert capsys.readouterr().out == "" and not list(runs.iterdir())


def weighted(factor: int) -> Callable[[Any], int]:
    """A loss whose text does not tell what it takes from elsewhere."""
    return lambda _: factor


def test_whatever_differs_has_another_fingerprint(make_loop: MakeLoop, tmp_path: Path, monkeypatch):
    changes = [
        *({"first": 1}, {"steps": STEPS + 1}, {"seed": 1}, {"validations": 2}, {"method": "unet"}),
        *({"batches": {"seed": 1}}, {"batches": {"size": 3}}, {"batches": {"lesion_share": 0.5}}),
        *({"batches": {"augmentation": Augmentation(mirror=0)}}, {"rows": [0, 1, 2, 3]}),
        {"objective": lambda _: 1},
        {"objective": lambda _: 2},
        *({"objective": weighted(factor)} for factor in (1, 2)),
        {"objective": partial(weighted(1), factor=3)},
    ]
    found = [fingerprint(make_loop(**change)) for change in ({}, *changes)]
    assert fingerprint(make_loop()) == found[0]
    hashed = []
    spy = SimpleNamespace(sha256=lambda words: hashed.append(words) or hashlib.sha256(words))
    monkeypatch.setattr(checkpoints, "hashlib", spy)
    monkeypatch.setattr(strokegan_lib, "__file__", str(tmp_path / "__init__.py"))  # other code
    found.append(fingerprint(make_loop(**changes[-1])))
    assert len(set(found)) == len(changes) + 2
    assert b" at 0x" not in hashed[0], "an address is another one in another kernel"


def test_training_goes_on_where_no_checkpoints_can_be_kept(make_loop: MakeLoop, capsys):
    with KeptRuns("nb"):
        with KeptRuns("nb") as second:
            assert "another kernel is training this" in capsys.readouterr().out
            with pytest.raises(Stopped, match="starts afresh"):
                second.run(ends(make_loop(), 2, interrupt), "a")
        assert not any(run_folder("nb").iterdir())
    run_folder("nb").write_text("no folder")
    with KeptRuns("nb") as kept:  # the lock is free again
        assert kept.run(make_loop(), "a").step == STEPS
    said = capsys.readouterr().out
    assert said.startswith(f"{run_folder('nb')}: no checkpoints") and said.count("\n") == 1


def test_on_colab_checkpoints_go_to_drive_where_it_is_mounted(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.delenv("STROKEGAN_RUNS")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(checkpoints, "DRIVE", tmp_path / "MyDrive")
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    with KeptRuns("05") as kept:
        assert kept.folder == tmp_path / "home/.cache/strokegan/unfinished-05"
    assert "mount your Google Drive" in capsys.readouterr().out
    (tmp_path / "MyDrive").mkdir()
    with KeptRuns("05") as kept:
        assert kept.folder == tmp_path / "MyDrive/strokegan/unfinished-05"
    assert capsys.readouterr().out == "Checkpoints go to your Google Drive: strokegan/unfinished-05\n"
    monkeypatch.setenv("STROKEGAN_RUNS", "/elsewhere")
    assert run_folder("05") == Path("/elsewhere/unfinished-05")
