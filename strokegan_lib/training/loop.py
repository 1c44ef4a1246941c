"""The training loop: it knows batches, steps and time, and no network.

accelerate puts networks on the device, chooses the arithmetic, scales and averages
gradients; everything else happens here, in the open.
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
from strokegan_lib.training.interrupt import between_steps
from strokegan_lib.training.log import Log, Row
from strokegan_lib.training.precision import accelerator as make_accelerator
from strokegan_lib.training.settings import Settings
from strokegan_lib.training.watch import Watch

Validate = Callable[[nn.Module], dict[str, float]]

EVERY = 500  # steps between validations of a long run: the best may lie anywhere
FLUSH = 10  # steps whose losses wait on the device: asking for each would make the device wait
QUIET = ("step", "seconds")  # columns that the bar shows in its own way


@dataclass
class Trained:
    """What training leaves.

    Attributes:
        network: the moving average of the GAN's first network, on its device, in eval mode; after the
            last step as it was when it scored best on validation.
        rows: the record, a row a step.
        step: steps made; fewer than asked for if somebody stopped it.
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
        about: whatever else determines the run (data, method, ...), for ``resume``.
        bar: show a progress bar on stdout; None shows it on a terminal only.
        board: write TensorBoard's files to the folder as well, where it is installed.
    """

    gan: GAN
    batches: Batches
    settings: Settings
    accelerator: Accelerator = field(default_factory=make_accelerator)
    validate: Validate | None = None
    folder: Path | None = None
    about: dict[str, Any] = field(default_factory=dict)
    bar: bool | None = None
    board: bool = True

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
            rate = self.gan.rates[name]
            # fused: one pass over all weights in place of one a tensor
            adam = torch.optim.Adam(network.parameters(), rate.peak, rate.betas, fused=True)
            self.optimisers[name] = self.accelerator.prepare_optimizer(adam)
        self.wrapped = {name: self.accelerator.prepare_model(network) for name, network in networks.items()}
        self.step = 0
        self.best: dict[str, Any] | None = None  # step, scores and averaged weights of the best validation

    def run(self, resume: bool = False) -> Trained:
        """Train to the end, or until Ctrl-C; with *resume*, go on from the last checkpoint.

        Raises:
            BadInput: training diverged, the disk is full, or the checkpoint is of another run.
        """
        if resume and self.folder is not None:
            self._restore()
        log = Log(self.folder if self.accelerator.is_main_process else None, self.step, self.board)
        watch, pending, saved_at, start = Watch(), [], time.monotonic(), time.monotonic()
        bar = self._bar()
        last = self.step >= self.settings.steps
        with between_steps() as stop:
            while not last:
                pending.append((self.step, time.monotonic() - start, self._one_step()))
                scores = self._validated(pending[-1][2])
                due = time.monotonic() - saved_at >= self.settings.checkpoint_seconds
                # asked once a step: whoever asks to stop later than this gets one step more
                last = self.step == self.settings.steps or stop.asked
                if len(pending) == FLUSH or last or due or scores:
                    rows = _numbers(pending)
                    rows[-1].update(scores)
                    log.add(rows)
                    self._warn(watch, rows)
                    bar.set_postfix({name: f"{v:.3f}" for name, v in rows[-1].items() if name not in QUIET})
                    pending = []
                bar.update()
                if self.folder is not None and (due or last):
                    self._save()
                    saved_at = time.monotonic()
        bar.close()
        log.close()
        best = self.best if self.step == self.settings.steps else None
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
                group["lr"] = self.gan.rates[name].peak * self.settings.rate_at(self.step)
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
        steps = self.settings.steps
        count = min(max(self.settings.validations, steps // EVERY), steps)
        if self.validate is None or not self.settings.validations:
            return {}
        if self.step not in {round(steps * (k + 1) / count) for k in range(count)}:
            return {}
        if not all(loss.isfinite().all() for loss in losses.values()):
            return {}  # the watch will say so; nothing else may use such a number
        scores = self.validate(self.average.network)
        score = scores["validation score"]
        if not math.isnan(score) and (self.best is None or score > self.best["scores"]["validation score"]):
            state = {name: value.clone() for name, value in self.average.network.state_dict().items()}
            self.best = {"step": self.step, "scores": scores, "network": state}
        return scores

    def _warn(self, watch: Watch, rows: list[Row]) -> None:
        for row in rows:
            warning = watch.look(int(row["step"]), row)
            if warning and self.accelerator.is_main_process:
                tqdm.write(warning, file=sys.stdout)

    def _bar(self) -> tqdm:
        hidden = True if not self.accelerator.is_main_process else None if self.bar is None else not self.bar
        return tqdm(
            total=self.settings.steps, initial=self.step, desc=self.kept, unit="step", file=sys.stdout,
            disable=hidden, mininterval=0.5,
        )  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """What determines the run; checkpoints of another one are refused."""
        s = self.settings
        schedule = {
            "steps": s.steps,
            "seed": s.seed,
            "rate": s.rate,
            "warm_up": s.warm_up,
            "average": s.average,
        }
        arithmetic = {"precision": self.accelerator.mixed_precision}
        return {**schedule, **arithmetic, "processes": self.accelerator.num_processes, **self.about}

    def _save(self) -> None:
        if not self.accelerator.is_main_process:  # all processes hold the same weights; none waits
            return
        scaler = self.accelerator.scaler
        state = {
            "about": self.identity(),
            "step": self.step,
            "networks": {name: network.state_dict() for name, network in self.gan.networks.items()},
            "average": self.average.network.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "scaler": scaler.state_dict() if scaler else {},
            "best": self.best or {},
        }
        save_checkpoint(self.folder, self.step, state)

    def _restore(self) -> None:
        state = load_checkpoint(self.folder, self.identity(), self.accelerator.print)
        if state is None:
            return
        for name, network in self.gan.networks.items():
            network.load_state_dict(state["networks"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])
        self.average.network.load_state_dict(state["average"])
        self.best = state["best"] or None
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.step = state["step"]
        steps = self.settings.steps
        ended = f"was trained to its end before: {steps} steps"
        self.accelerator.print(ended if self.step == steps else f"goes on after step {self.step} of {steps}")


def _numbers(pending: list[tuple[int, float, dict[str, Tensor]]]) -> list[Row]:
    """Losses as numbers, one trip from the device for all."""
    names = list(pending[0][2])
    values = torch.stack(
        [losses[name].detach().float() for _, _, losses in pending for name in names]
    ).tolist()
    rows = (values[k : k + len(names)] for k in range(0, len(values), len(names)))
    return [
        {"step": step, "seconds": round(seconds, 2), **dict(zip(names, row, strict=True))}
        for (step, seconds, _), row in zip(pending, rows, strict=True)
    ]


def _channels_last(batch: Batch) -> Batch:
    """The order in which convolutions are fastest: all channels of a pixel side by side."""
    planes = (batch.image, batch.stroke, batch.foreground)
    return Batch(*(p.contiguous(memory_format=torch.channels_last) for p in planes), batch.index)
