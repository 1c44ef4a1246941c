"""The training loop: it knows batches, steps and time, and no network.

accelerate puts networks on the device, chooses the arithmetic, scales and averages gradients; everything else
happens here.
"""

from __future__ import annotations

import math
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
    """What training leaves.

    Attributes:
        network: the moving average of the GAN's first network, on its device, in eval mode; after the
            last step as it was when it scored best on validation.
        rows: the record, a row a step.
        step: steps made; fewer than asked for if the run was stopped.
        kept: 'step', the number of steps after which the network was as it is now, and its validation
            scores; empty where nothing was validated, or the run was stopped.
    """

    network: nn.Module
    rows: list[Row]
    step: int
    kept: Row


@dataclass
class Loop:
    """One run of training.

    Args:
        gan: what learns.
        batches: what it learns from, on the accelerator's device.
        settings: how.
        accelerator: device, processes and arithmetic; the machine's best by default.
        validate: scores the averaged network; its numbers go to the record. The network with the
            highest 'validation score' is kept.
        folder: for checkpoints and the record; None keeps all in memory.
        about: whatever else determines the run, such as its data; a checkpoint of another run is refused.
        bar: show a progress bar on stdout; None shows it on a terminal only.
    """

    gan: GAN
    batches: Batches
    settings: Settings
    accelerator: Accelerator = field(default_factory=make_accelerator)
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    folder: Path | None = None
    about: dict[str, Any] = field(default_factory=dict)
    bar: bool | None = None

    def __post_init__(self) -> None:
        networks = self.gan.networks
        for network in networks.values():
            network.to(self.accelerator.device, memory_format=torch.channels_last)
        self.kept = next(iter(networks))
        self.average = Average(networks[self.kept], self.settings.average)
        self.optimisers = {}
        for name, network in networks.items():
            if self.settings.compile:
                network.compile()
            how = self.gan.optimisers[name]
            # fused: one pass over all weights in place of one a tensor
            adam = torch.optim.Adam(network.parameters(), how.learning_rate, how.betas, fused=True)
            self.optimisers[name] = self.accelerator.prepare_optimizer(adam)
        self.wrapped = {name: self.accelerator.prepare_model(network) for name, network in networks.items()}
        steps, least = self.settings.steps, self.settings.validations if self.validate else 0
        count = least and min(max(least, steps // EVERY), steps)
        self.validated_after = {round(steps * (k + 1) / count) for k in range(count)}
        self.step = 0
        self.best: dict[str, Any] = {}  # step, scores and averaged weights of the best validation

    def run(self, resume: bool = False) -> Trained:
        """Train to the end, or until Ctrl-C; with *resume*, go on from the last checkpoint.

        Raises:
            BadInput: training diverged, the disk is full, or the checkpoint is of another run.
        """
        if resume and self.folder is not None:
            self._restore()
        steps, main = self.settings.steps, self.accelerator.is_main_process
        log, monitor = Log(self.folder if main else None, self.step), CollapseMonitor()
        pending, saved_at, start = [], time.monotonic(), time.monotonic()
        last = self.step >= steps
        shown = {"desc": self.kept, "unit": "step", "file": sys.stdout, "mininterval": 0.5}
        # None: on a terminal only
        hidden = True if not main else None if self.bar is None else not self.bar
        with tqdm(total=steps, initial=self.step, disable=hidden, **shown) as bar, between_steps() as stop:
            while not last:
                losses = self._one_step()
                pending.append(
                    ({"step": self.step - 1, "seconds": round(time.monotonic() - start, 2)}, losses)
                )
                scores = self._validated(losses)
                due = time.monotonic() - saved_at >= self.settings.checkpoint_seconds
                # looked at once a step: a signal that comes later stops after the next one
                last = self.step == steps or stop.is_set()
                if len(pending) == FLUSH or last or due or scores:
                    rows = _numbers(pending)
                    rows[-1].update(scores)
                    log.add(rows)
                    for row in rows:
                        for warning in monitor.look(row["step"], row):
                            if main:
                                bar.write(warning, file=sys.stdout)
                    bar.set_postfix({name: f"{value:.3f}" for name, value in [*rows[-1].items()][2:]})
                    pending = []
                bar.update()
                if self.folder is not None and (due or last):
                    if main:
                        save_checkpoint(self.folder, self.step, self._state())
                    saved_at = time.monotonic()
        best = self.best if self.step == steps else {}
        if best:
            self.average.network.load_state_dict(best["network"])
        kept = {"step": best["step"], **best["scores"]} if best else {}
        return Trained(self.average.network, log.rows, self.step, kept)

    def _one_step(self) -> dict[str, Tensor]:
        """One batch, one turn of each player."""
        turn = self.step * self.accelerator.num_processes + self.accelerator.process_index
        # the random state is a function of the step: nothing to save, nothing to restore
        torch.manual_seed(self.settings.seed * 1_000_003 + turn)
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = self.gan.optimisers[name].learning_rate * self.settings.rate_at(self.step)
        losses = self.gan.step(self.wrapped, _channels_last(self.batches.batch(turn)), self._update)
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
        if self.step not in self.validated_after or not all(
            loss.isfinite().all() for loss in losses.values()
        ):
            return {}
        scores = self.validate(self.average.network)
        score = scores["validation score"]
        if not math.isnan(score) and (not self.best or score > self.best["scores"]["validation score"]):
            network = {name: value.clone() for name, value in self.average.network.state_dict().items()}
            self.best = {"step": self.step, "scores": scores, "network": network}
        return scores

    def identity(self) -> dict[str, Any]:
        """What determines the run; checkpoints of another one are refused."""
        arithmetic = {
            "precision": self.accelerator.mixed_precision,
            "processes": self.accelerator.num_processes,
        }
        return {**self.settings.record(), **arithmetic, **self.about}

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
        state = load_checkpoint(self.folder, self.identity(), self.accelerator.print)
        if state is None:
            return
        for name, network in self.gan.networks.items():
            network.load_state_dict(state["networks"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])
        self.average.network.load_state_dict(state["average"])
        self.step, self.best = state["step"], state["best"]
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        steps = self.settings.steps
        ended = f"was trained to its end before: {steps} steps"
        self.accelerator.print(ended if self.step == steps else f"goes on after step {self.step} of {steps}")


def _numbers(pending: list[tuple[Row, dict[str, Tensor]]]) -> list[Row]:
    """Rows with the losses as numbers, one trip from the device for all."""
    values = torch.stack(
        [loss.detach().float() for _, losses in pending for loss in losses.values()]
    ).tolist()
    numbers = iter(values)
    return [{**row, **{name: next(numbers) for name in losses}} for row, losses in pending]


def _channels_last(batch: Batch) -> Batch:
    """The order in which convolutions are fastest: all channels of a pixel side by side."""
    planes = (batch.image, batch.stroke, batch.foreground)
    return Batch(*(p.contiguous(memory_format=torch.channels_last) for p in planes), batch.index)
