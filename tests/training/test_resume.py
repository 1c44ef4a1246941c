"""A run that was stopped or killed ends as if nobody had; other kinds of networks are in test_gans.py."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.loop import Trained

STEPS = 16


def newest(folder: Path) -> int:
    """Step of the newest checkpoint of a run that is still going on, 0 before the first."""
    return max((int(path.name[5:12]) for path in folder.glob("step-*.pt")), default=0)


def record(folder: Path) -> list[dict[str, str]]:
    """What metrics.csv says, letter by letter, without its clock."""
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        return [
            {name: text for name, text in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def whole(slices, tmp_path_factory) -> tuple[Path, Trained]:
    """A run that nobody disturbs: its folder, what it left."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    return folder, tiny.make_loop("masked", slices, folder, steps=STEPS).run()


def check_equal(whole: tuple[Path, Trained], folder: Path, done: Trained) -> None:
    """Networks, average, optimisers and record, to the last bit."""
    undisturbed, expected = whole
    ours, theirs = (torch.load(checkpoints(f)[0], weights_only=True) for f in (folder, undisturbed))
    assert ours["step"] == theirs["step"] == STEPS
    assert len(theirs["networks"]) == len(theirs["optimisers"]) == 2
    assert not tiny.differences(ours, theirs)
    assert tiny.losses_of(done.rows) == tiny.losses_of(expected.rows) and len(done.rows) == STEPS
    assert record(folder) == record(undisturbed)


def test_killed_at_a_random_step_and_resumed(whole, slices, tmp_path):
    at = random.randrange(1, STEPS // 2)
    command = [sys.executable, tiny.__file__, "masked", slices.folder, tmp_path, str(STEPS)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while newest(tmp_path) < at and process.poll() is None:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.05))  # anywhere: in a step, in a checkpoint, in the record
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, f"it ended before it was killed at step {at}"
    assert at <= newest(tmp_path) < STEPS
    check_equal(whole, tmp_path, tiny.make_loop("masked", slices, tmp_path, steps=STEPS).run(resume=True))
    assert not list(tmp_path.glob(".*"))  # nothing half-written is left


def test_resumed_behind_a_damaged_checkpoint(whole, slices, tmp_path, capsys):
    half = tiny.make_loop("masked", slices, tmp_path, steps=STEPS)
    stop_after(half, 7)
    assert half.run().step == 7
    damaged = checkpoints(tmp_path)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    done = tiny.make_loop("masked", slices, tmp_path, steps=STEPS).run(resume=True)
    out = capsys.readouterr().out
    assert f"{damaged}: damaged" in out and f"goes on after step 6 of {STEPS}" in out
    check_equal(whole, tmp_path, done)


def stop_after(loop, steps: int) -> None:
    """Press Ctrl-C within step number *steps* (1, 2, ...)."""
    original, left = loop.gan.step, [steps]

    def step(*args):
        left[0] -= 1
        if not left[0]:
            signal.raise_signal(signal.SIGINT)
        return original(*args)

    loop.gan.step = step


def test_a_finished_run_has_nothing_to_resume_and_a_new_one_begins(whole, slices, tmp_path):
    folder, expected = whole
    done = tiny.make_loop("masked", slices, folder, steps=STEPS).run(resume=True)
    assert done.step == STEPS and tiny.losses_of(done.rows) == tiny.losses_of(expected.rows)
    assert not tiny.differences(done.network.state_dict(), expected.network.state_dict())
    done = tiny.make_loop("toy", slices, tmp_path, steps=2).run(resume=True)
    assert done.step == 2 == len(done.rows)


@pytest.mark.parametrize(
    ("task", "changes", "words"),
    [
        ("toy", {"steps": 5}, "steps was 4 and is now 5"),
        ("toy", {"seed": 1}, "seed was 0 and is now 1"),
        ("toy", {"rate": 0.5}, "rate was 1.0 and is now 0.5"),
        ("toy", {"average": 0.9}, "average was 0.99 and is now 0.9"),
        ("toy", {"warm_up": 0.1}, "warm_up was 0.05 and is now 0.1"),
        ("toy", {"precision": "bf16"}, "precision was no and is now bf16"),
        ("unet", {}, "task was toy and is now unet"),
    ],
)
def test_other_settings_are_refused_by_name(slices, tmp_path, task, changes, words):
    tiny.make_loop("toy", slices, tmp_path).run()
    with pytest.raises(BadInput) as error:
        tiny.make_loop(task, slices, tmp_path, **changes).run(resume=True)
    assert words in str(error.value) and str(tmp_path) in str(error.value)


def test_how_often_to_save_or_to_validate_may_change(slices, tmp_path):
    first = tiny.make_loop("toy", slices, tmp_path, steps=4)
    stop_after(first, 2)
    assert first.run().step == 2
    again = tiny.make_loop("toy", slices, tmp_path, steps=4, validations=1, checkpoint_seconds=9)
    done = again.run(resume=True)
    assert done.step == 4 == len(done.rows)
