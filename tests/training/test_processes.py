"""Two processes compute together what one would alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
import two_processes

from strokegan_lib.training.checkpoint import checkpoints


@pytest.fixture(scope="module")
def launched(slices, tmp_path_factory) -> Path:
    """A folder with what each of two processes held at the end of each task."""
    out = tmp_path_factory.mktemp("processes")
    # --cpu would start a single process; port 0: any that is free
    command = (
        "-m accelerate.commands.launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no "
        "--dynamo_backend no --num_cpu_threads_per_process 1 --main_process_port 0"
    )
    done = subprocess.run(
        [sys.executable, *command.split(), two_processes.__file__, slices.folder, out],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("task", two_processes.TASKS)
def test_both_hold_equal_weights_and_one_writes(launched, slices, task):
    first, second = (torch.load(launched / f"{task}-{rank}.pt", weights_only=True) for rank in range(2))
    assert first["processes"] == second["processes"] == 2
    for what in ("parameters", "average", "gradients"):
        assert first[what] and not tiny.differences(first[what], second[what]), what
    start = {k: dict(n.named_parameters()) for k, n in two_processes.make_gan(task).networks.items()}
    assert tiny.differences(first["parameters"], start)  # they have moved
    assert len(checkpoints(launched / task)) == 2
    state = torch.load(checkpoints(launched / task)[0], weights_only=True)
    assert state["step"] == two_processes.STEPS and state["about"]["processes"] == 2
    assert len((launched / task / "metrics.csv").read_text().splitlines()) == 1 + two_processes.STEPS
    assert not tiny.differences({k: state["average"][k] for k in first["average"]}, first["average"])


@pytest.mark.parametrize("task", two_processes.ALIKE)
def test_gradients_equal_those_of_one_process_with_the_whole_batch(launched, slices, task):
    loop = two_processes.spy(task, slices, steps=1)
    loop.run()
    assert loop.accelerator.num_processes == 1
    shared = torch.load(launched / f"{task}-0.pt", weights_only=True)["gradients"]
    assert shared.keys() == loop.gradients.keys() == loop.gan.networks.keys()
    for name, gradients in loop.gradients.items():
        for parameter, alone in gradients.items():
            error = (shared[name][parameter] - alone).abs().max() / alone.abs().max()
            assert error < 1e-9, (name, parameter, float(error))
