"""The training loop: it knows batches, steps and time, and no network.

accelerate puts networks on the device, chooses the arithmetic, scales and averages gradients; everything else
happens here.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.models.gan import GAN
from strokegan_lib.training.average import Average
from strokegan_lib.training.checkpoint import load_checkpoint, save_checkpoint
from strokegan_lib.training.collapse import CollapseMonitor
from strokegan_lib.training.interrupt import between_steps
from strokegan_lib.training.log import Log, Row
from strokegan_lib.training.precision import accelerator as make_accelerator
from strokegan_lib.training.settings import Settings

EVERY = 500  # steps between validations of a long run: the best may lie anywhere
FLUSH = 10  # steps whose losses wait on the device: asking for each would make the device wait


@dataclass
class Trained:
    """What training leaves."""

    # the moving average of the GAN's first network, on its device, in eval mode; after the last step as it was when it
    # scored best on validation
    network: nn.Module
    rows: list[Row]  # the record, a row a step
    step: int  # steps made; fewer than asked for if the run was stopped
    # 'step', the number of steps after which the network was as it is now, and its validation scores; empty where
    # nothing was validated, or the run was stopped
    kept: Row


@dataclass
class Loop:
    """One run of training."""

    gan: GAN
    batches: Batches  # on the accelerator's device
    settings: Settings
    accelerator: Accelerator = field(default_factory=make_accelerator)  # device, processes and arithmetic
    # scores the averaged network for the record; the one with the highest 'validation score' is kept
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    folder: Path | None = None  # for checkpoints and the record; None keeps all in memory
    # whatever else determines the run, such as its data; a checkpoint of another run is refused
    about: dict[str, Any] = field(default_factory=dict)
    bar: bool = True  # show progress where stdout is a terminal

    def __post_init__(self) -> None:
        networks = self.gan.networks
        for network in networks.values():
            network.to(self.accelerator.device, memory_format=torch.channels_last)
        self.kept = next(iter(networks))
        # before the networks are wrapped, which changes how they compute
        self.average = Average(networks[self.kept], self.settings.average)
        self.optimisers, self.wrapped = {}, {}
        for name, network in networks.items():
            how = self.gan.optimisers[name]
            # fused: one pass over all weights in place of one a tensor
            adam = torch.optim.Adam(network.parameters(), how.learning_rate, how.betas, fused=True)
            self.optimisers[name] = self.accelerator.prepare_optimizer(adam)
            self.wrapped[name] = self.accelerator.prepare_model(network)
        steps, least = self.settings.steps, self.settings.validations if self.validate else 0
        count = least and min(max(least, steps // EVERY), steps)
        self.validated_after = {round(steps * (k + 1) / count) for k in range(count)}
        self.step = 0
        self.best: dict[str, Any] = {}  # step, scores and averaged weights of the best validation

    def run(self, resume: bool = False) -> Trained:
        """Train to the end, or until Ctrl-C; with *resume*, go on from the last checkpoint.

        BadInput where training diverged, the disk is full, or the checkpoint is of another run.
        """
        if resume and self.folder:
            self._restore()
        steps, main = self.settings.steps, self.accelerator.is_main_process
        log, monitor = Log(self.folder if main else None, self.step), CollapseMonitor()
        pending: list[tuple[Row, dict[str, Tensor]]] = []
        start = saved_at = time.monotonic()
        ended = self.step >= steps
        bar = tqdm(
            total=steps, initial=self.step, desc=self.kept, unit="step", file=sys.stdout, mininterval=0.5,
            disable=None if self.bar and main else True,  # None: where stdout is no terminal
        )  # fmt: skip
        with bar, between_steps() as stop:
            while not ended:
                losses = self._one_step()
                seconds = round(time.monotonic() - start, 2)
                pending.append(({"step": self.step - 1, "seconds": seconds}, losses))
                scores = self._validated(losses)
                # looked at once a step: a signal that comes later stops after the next one
                ended = self.step == steps or stop.is_set()
                due = time.monotonic() - saved_at >= self.settings.checkpoint_seconds
                if len(pending) == FLUSH or ended or due or scores:
                    rows, pending = _numbers(pending), []
                    bar.set_postfix({name: f"{rows[-1][name]:.3f}" for name in losses})
                    rows[-1].update(scores)
                    log.add(rows)
                    for warning in [warning for row in rows for warning in monitor.look(row) if main]:
                        bar.write(warning, file=sys.stdout)
                bar.update()
                if self.folder and (due or ended):
                    if main:
                        save_checkpoint(self.folder, self.step, self._state())
                    saved_at = time.monotonic()
        kept: Row = {}
        if self.best and self.step == steps:
            self.average.network.load_state_dict(self.best["network"])
            kept = {"step": self.best["step"], **self.best["scores"]}
        return Trained(self.average.network, log.rows, self.step, kept)

    def _one_step(self) -> dict[str, Tensor]:
        """One batch, one turn of each player."""
        turn = self.step * self.accelerator.num_processes + self.accelerator.process_index
        # the random state is a function of the step: nothing to save, nothing to restore
        torch.manual_seed(self.settings.seed * 1_000_003 + turn)
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = self.gan.optimisers[name].learning_rate * self.settings.rate_at(self.step)
        batch = self.batches.batch(turn)
        # the order in which convolutions are fastest: all channels of a pixel side by side
        planes = [
            plane.contiguous(memory_format=torch.channels_last)
            for plane in (batch.image, batch.stroke, batch.foreground)
        ]
        losses = self.gan.step(self.wrapped, Batch(*planes, batch.index), self._update)
        self.average.update(self.gan.networks[self.kept], self.step)
        self.step += 1
        return losses

    def _update(self, names: str | tuple[str, ...], loss: Tensor) -> None:
        """One step of the optimisers of one network, or of several that share a loss."""
        optimisers = [self.optimisers[name] for name in ([names] if isinstance(names, str) else names)]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        for optimiser in optimisers:
            optimiser.step()

    def _validated(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """Scores of the averaged network if they are due after this step and its *losses* are finite."""
        due = self.step in self.validated_after
        if not due or not all(loss.isfinite().all() for loss in losses.values()):
            return {}
        scores = self.validate(self.average.network)
        if not self.best or scores["validation score"] > self.best["scores"]["validation score"]:
            network = {name: value.clone() for name, value in self.average.network.state_dict().items()}
            self.best = {"step": self.step, "scores": scores, "network": network}
        return scores

    def identity(self) -> dict[str, Any]:
        """What determines the run; checkpoints of another one are refused."""
        precision, processes = self.accelerator.mixed_precision, self.accelerator.num_processes
        return {**self.settings.record(), "precision": precision, "processes": processes, **self.about}

    def _state(self) -> dict[str, Any]:
        """All that a step can change; every process holds the same, and the main one writes it."""
        scaler = self.accelerator.scaler
        return {
            "about": self.identity(),
            "step": self.step,
            "networks": {name: network.state_dict() for name, network in self.gan.networks.items()},
            "average": self.average.network.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "scaler": scaler.state_dict() if scaler else {},
            "best": self.best,
        }

    def _restore(self) -> None:
        """Take up the state in the folder, if there is one."""
        state = load_checkpoint(self.folder, self.identity())
        if state is None:
            return
        for name, network in self.gan.networks.items():
            network.load_state_dict(state["networks"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])
        self.average.network.load_state_dict(state["average"])
        self.step, self.best = state["step"], state["best"]
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.accelerator.print(f"goes on after step {self.step} of {self.settings.steps}")


def _numbers(pending: list[tuple[Row, dict[str, Tensor]]]) -> list[Row]:
    """Rows with the losses as numbers, one trip from the device for all."""
    stacked = torch.stack([loss.detach().float() for _, losses in pending for loss in losses.values()])
    numbers = iter(stacked.tolist())
    return [{**row, **{name: next(numbers) for name in losses}} for row, losses in pending]
