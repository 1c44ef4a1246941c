"""Two processes compute together what one would alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
import two_processes

from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint
from strokegan_lib.training.log import read_rows


@pytest.fixture(scope="module")
def launched(slices, tmp_path_factory) -> Path:
    """A folder with what each of two processes held at the end of each task."""
    out = tmp_path_factory.mktemp("processes")
    # --cpu would start a single process; port 0: any that is free
    command = (
        "-m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no "
        "--dynamo_backend no --num_cpu_threads_per_process 1 --main_process_port 0"
    )
    words = [sys.executable, *command.split(), two_processes.__file__, slices.folder, out]
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("task", two_processes.TASKS)
def test_both_hold_equal_weights_and_one_writes(launched, slices, task):
    first, second = (torch.load(launched / f"{task}-{rank}.pt", weights_only=True) for rank in range(2))
    assert first["processes"] == second["processes"] == 2
    for what in ("parameters", "average", "moments"):
        assert first[what] and not tiny.differences(first[what], second[what]), what
    start = {k: dict(n.named_parameters()) for k, n in two_processes.make_gan(task).networks.items()}
    assert tiny.differences(first["parameters"], start)  # they have moved
    state = load_checkpoint(launched / task)
    steps = two_processes.TASKS[task]
    assert state["step"] == steps == len(read_rows(launched / task / "metrics.csv"))
    assert len(checkpoints(launched / task)) == min(steps, 2) and state["about"]["processes"] == 2
    assert not tiny.differences({k: state["average"][k] for k in first["average"]}, first["average"])


def test_gradients_equal_those_of_one_process_with_the_whole_batch(launched, slices):
    loop = two_processes.loop_of("masked", slices)
    loop.run()
    shared = torch.load(launched / "masked-0.pt", weights_only=True)["moments"]
    assert loop.accelerator.num_processes == 1 and len(shared) == 2
    for name, moments in two_processes.moments(loop).items():
        for parameter, alone in moments.items():
            error = (shared[name][parameter] - alone).abs().max()
            assert error <= 1e-3 * alone.abs().max(), (name, parameter, float(error))
