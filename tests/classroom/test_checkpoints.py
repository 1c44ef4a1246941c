"""A cell's training outlives an interruption, and nothing else: whatever differs starts afresh."""

from __future__ import annotations

import linecache
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from strokegan_lib.classroom import checkpoints
from strokegan_lib.classroom.checkpoints import KeptRuns, Stopped, run_folder
from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.training.loop import Loop, Settings, Trained
from strokegan_lib.training.objectives import Objective
from strokegan_lib.training.precision import accelerator
from strokegan_lib.training.segmentation import METHODS, Method, SegmentationGAN

STEPS = 6
OWN_LOSS = """
def my_loss(seen):
    return {{"pixel": {weight} * (seen.fake[0] - seen.true[0]).abs().mean()}}
"""

MakeLoop = Callable[..., Loop]


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for what is kept."""
    torch.set_num_threads(1)
    monkeypatch.setenv("STROKEGAN_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def make_loop(phantom: SliceSet) -> MakeLoop:
    rows = phantom.of_split("train")

    def make(
        *,
        method: Method = METHODS["masked"],
        first: int = 0,
        rows: Any = rows,
        batches: Any = None,
        objective: Objective | None = None,
        **settings: Any,
    ) -> Loop:
        torch.manual_seed(first)
        return Loop(
            SegmentationGAN(method, width=4, objective=objective),
            Batches(phantom, rows, **{"size": 2, "augmentation": Augmentation(), **(batches or {})}),
            Settings(**{"steps": STEPS, **settings}),
            accelerator("fp32"),
            bar=False,
        )

    return make


def own_loss(file: Path, weight: float = 1.0) -> Objective:
    """A loss that a reader has written, made anew as in another kernel."""
    file.write_text(OWN_LOSS.format(weight=weight))
    linecache.checkcache(str(file))
    made: dict[str, Any] = {}
    exec(compile(file.read_text(), file, "exec"), made)
    return made["my_loss"]


def interrupted(loop: Loop, step: int) -> Loop:
    """The same loop, but somebody presses Interrupt within step number *step* (1, 2, ...)."""
    original = loop.batches.batch

    def batch(number: int) -> Batch:
        if number == step - 1:
            signal.raise_signal(signal.SIGINT)
        return original(number)

    loop.batches.batch = batch
    return loop


def interrupt(loop: Loop, step: int) -> None:
    """A cell that trains this and is stopped."""
    with pytest.raises(Stopped, match=f"after step {step} of {loop.settings.steps}"), KeptRuns("nb") as kept:
        kept.run(interrupted(loop, step), "a")


def losses(done: Trained) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in done.rows]


def test_an_interrupted_run_goes_on_and_ends_as_if_nobody_had(make_loop: MakeLoop, runs: Path, capsys):
    whole = make_loop().run()
    interrupt(make_loop(), 3)
    assert run_folder("nb").is_dir()
    capsys.readouterr()
    with KeptRuns("nb") as kept:
        done = kept.run(make_loop(), "a")
    assert capsys.readouterr().out == f"goes on after step 3 of {STEPS}\n"
    assert losses(done) == losses(whole) and len(done.rows) == STEPS
    for ours, theirs in zip(
        done.network.state_dict().values(), whole.network.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_cell_that_has_ended_leaves_nothing_and_starts_afresh(make_loop: MakeLoop, runs: Path, capsys):
    for _ in range(2):
        with KeptRuns("nb") as kept:
            kept.run(make_loop(), "a")
            assert list(run_folder("nb").rglob("*.pt"))
        assert not run_folder("nb").exists() and capsys.readouterr().out == ""


def test_what_the_reader_keeps_there_stays(make_loop: MakeLoop, runs: Path):
    own = run_folder("nb") / "thesis-2026"
    own.mkdir(parents=True)
    with KeptRuns("nb") as kept:
        kept.run(make_loop(), "a")
    assert list(run_folder("nb").iterdir()) == [own]


def test_what_had_ended_before_the_interruption_is_not_trained_again(make_loop: MakeLoop, capsys):
    with pytest.raises(Stopped), KeptRuns("nb") as kept:
        first = kept.run(make_loop(), "a")
        kept.run(interrupted(make_loop(method=METHODS["unet"]), 2), "b")
    capsys.readouterr()
    with KeptRuns("nb") as kept:
        untouched = make_loop()
        untouched.batches.batch = None  # calling it would fail
        again = kept.run(untouched, "a")
        kept.run(make_loop(method=METHODS["unet"]), "b")
    said = capsys.readouterr().out
    assert said == f"was trained to its end before: {STEPS} steps\ngoes on after step 2 of {STEPS}\n"
    assert losses(again) == losses(first)
    assert not run_folder("nb").exists()


def test_an_error_in_the_cell_keeps_what_was_learnt(make_loop: MakeLoop):
    with pytest.raises(ZeroDivisionError), KeptRuns("nb") as kept:
        kept.run(make_loop(), "a")
        _ = 1 / 0
    assert list(run_folder("nb").rglob("*.pt"))


@pytest.mark.parametrize(
    "changes",
    [
        {"first": 1},
        {"steps": STEPS + 1},
        {"seed": 1},
        {"validations": 2},
        {"method": Method(dice=0.5)},
        {"batches": {"seed": 1}},
        {"batches": {"size": 3}},
        {"batches": {"lesion_share": 0.5}},
        {"batches": {"augmentation": Augmentation(mirror=0)}},
        {"rows": [0, 1, 2, 3]},
    ],
    ids=str,
)
def test_another_run_starts_afresh(make_loop: MakeLoop, capsys, changes: dict[str, Any]):
    interrupt(make_loop(), 3)
    with KeptRuns("nb") as kept:
        done = kept.run(make_loop(**changes), "a")
    assert "goes on" not in capsys.readouterr().out and done.rows[0]["step"] == 0


def test_a_loss_of_ones_own_goes_on_as_long_as_its_text_is_the_same(
    make_loop: MakeLoop, tmp_path: Path, capsys
):
    interrupt(make_loop(objective=own_loss(tmp_path / "first")), 3)
    interrupt(make_loop(objective=own_loss(tmp_path / "second")), 4)
    assert "goes on after step 3" in capsys.readouterr().out
    with KeptRuns("nb") as kept:
        kept.run(make_loop(objective=own_loss(tmp_path / "third", weight=2.0)), "a")
    assert "goes on" not in capsys.readouterr().out


def test_other_code_starts_afresh(make_loop: MakeLoop, capsys, monkeypatch: pytest.MonkeyPatch):
    interrupt(make_loop(), 3)
    monkeypatch.setattr(checkpoints, "_code", lambda: "changed")
    with KeptRuns("nb") as kept:
        kept.run(make_loop(), "a")
    assert "goes on" not in capsys.readouterr().out


def test_two_kernels_do_not_share_a_folder(make_loop: MakeLoop, capsys):
    with KeptRuns("nb") as first:
        with KeptRuns("nb") as second:
            assert "Another kernel" in capsys.readouterr().out
            assert second.run(make_loop(), "a").step == STEPS
            with pytest.raises(Stopped, match="starts afresh"):
                second.run(interrupted(make_loop(), 2), "a")
            assert not any(run_folder("nb").iterdir())
        first.run(make_loop(), "a")
        assert any(run_folder("nb").iterdir())
    with KeptRuns("nb"):
        assert capsys.readouterr().out == ""  # the lock is free again


def test_without_a_place_for_checkpoints_training_goes_on(make_loop: MakeLoop, runs: Path, capsys):
    (runs / "nb").write_text("no folder")
    for _ in range(2):  # the lock is free again
        with KeptRuns("nb") as kept:
            assert kept.run(make_loop(), "a").step == STEPS
        said = capsys.readouterr().out
        assert str(runs / "nb") in said and "set STROKEGAN_RUNS" in said and said.count("\n") == 1


def test_a_place_that_is_lost_on_the_way_is_bad_input(make_loop: MakeLoop, runs: Path):
    with pytest.raises(BadInput, match="STROKEGAN_RUNS"), KeptRuns("nb") as kept:
        (runs / "nb").rmdir()
        (runs / "nb").write_text("no folder")
        kept.run(make_loop(), "a")


class TestPlace:
    @pytest.fixture
    def drive(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Where Drive would be mounted."""
        monkeypatch.delenv("STROKEGAN_RUNS")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
        monkeypatch.setattr(checkpoints, "DRIVE", tmp_path / "MyDrive")
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
        return tmp_path / "MyDrive"

    def test_drive_where_it_is_mounted(self, drive: Path, make_loop: MakeLoop, capsys):
        drive.mkdir()
        with KeptRuns("05") as kept:
            kept.run(make_loop(), "a")
            assert list((drive / "strokegan/runs/05").rglob("*.pt"))
        assert capsys.readouterr().out == "Checkpoints go to your Google Drive: strokegan/runs/05\n"

    def test_colab_without_drive_is_told_how_to_mount_it(self, drive: Path, capsys):
        with KeptRuns("05"):
            pass
        assert "mount your Google Drive" in capsys.readouterr().out
        assert run_folder("05") == drive.parent / "home/.cache/strokegan/runs/05"

    def test_the_readers_own_choice_goes_first(self, drive: Path, monkeypatch: pytest.MonkeyPatch):
        drive.mkdir()
        monkeypatch.setenv("STROKEGAN_RUNS", "/elsewhere")
        assert run_folder("05") == Path("/elsewhere/05")
