"""A run that was stopped or killed ends as if nobody had; other kinds of networks are in test_gans.py."""

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
from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint
from strokegan_lib.training.log import read_rows
from strokegan_lib.training.loop import Trained

STEPS = 8


@pytest.fixture(scope="module")
def whole(slices, tmp_path_factory) -> Path:
    """The folder of a run that nobody disturbs."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    tiny.make_loop("masked", slices, folder, steps=STEPS).run()
    return folder


def check_equal(whole: Path, folder: Path, done: Trained) -> None:
    """Networks, average, optimisers and record, to the last bit."""
    ours, theirs = load_checkpoint(folder), load_checkpoint(whole)
    assert ours["step"] == STEPS and len(theirs["networks"]) == len(theirs["optimisers"]) == 2
    assert not tiny.differences(ours, theirs)
    rows, expected = (tiny.losses_of(read_rows(f / "metrics.csv")) for f in (folder, whole))
    assert tiny.losses_of(done.rows) == rows == expected and len(rows) == STEPS


def test_killed_at_a_random_step_and_resumed(whole, slices, tmp_path):
    at = random.randrange(1, STEPS // 2)
    command = [sys.executable, tiny.__file__, "masked", slices.folder, tmp_path, str(STEPS)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob(f"step-000000{at}-*.pt")) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.05))  # anywhere: in a step, in a checkpoint, in the record
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, f"it ended before it was killed at step {at}"
    check_equal(whole, tmp_path, tiny.make_loop("masked", slices, tmp_path, steps=STEPS).run(resume=True))
    assert not list(tmp_path.glob(".*"))  # nothing half-written is left


def test_resumed_behind_a_damaged_checkpoint_and_again_when_it_has_ended(whole, slices, tmp_path, capsys):
    assert tiny.stop_after(tiny.make_loop("masked", slices, tmp_path, steps=STEPS), 5).run().step == 5
    damaged = checkpoints(tmp_path)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    done = tiny.make_loop("masked", slices, tmp_path, steps=STEPS).run(resume=True)
    said = capsys.readouterr().out
    assert f"{damaged}: damaged" in said and f"goes on after step 4 of {STEPS}" in said
    check_equal(whole, tmp_path, done)
    again = tiny.make_loop("masked", slices, tmp_path, steps=STEPS).run(resume=True)
    check_equal(whole, tmp_path, again)
    assert not tiny.differences(again.network.state_dict(), done.network.state_dict())


@pytest.mark.parametrize(
    ("task", "changes", "words"),
    [
        ("toy", {"average": 0.9}, "average was 0.99 and is now 0.9"),
        ("toy", {"precision": "bf16"}, "precision was no and is now bf16"),
        ("unet", {}, "task was toy and is now unet"),
    ],
)
def test_other_settings_are_refused_by_name(slices, tmp_path, task, changes, words):
    tiny.make_loop("toy", slices, tmp_path).run(resume=True)  # there is nothing yet, and a run begins
    with pytest.raises(BadInput, match=words):
        tiny.make_loop(task, slices, tmp_path, **changes).run(resume=True)


def test_how_often_to_save_or_to_validate_may_change(slices, tmp_path):
    assert tiny.stop_after(tiny.make_loop("toy", slices, tmp_path), 2).run().step == 2
    done = tiny.make_loop("toy", slices, tmp_path, validations=1, checkpoint_seconds=9).run(resume=True)
    assert done.step == 4 == len(done.rows)
