"""Early warnings: a GAN can fail while its losses look busy."""

from __future__ import annotations

import math

from strokegan_lib.errors import Diverged

PATIENCE = 50  # steps in a row before a warning: a quarter of a minute of one's time, not a blip
NOTHING_LEARNT = 300  # the same for a critic at its start: a good one needs some dozens of steps to leave it
START = {"logistic": 2 * math.log(2), "hinge": 2.0}  # loss of a critic that answers 0 to everything
NEAR = 0.01  # of its start, on either side
# below its start: it has told something once, and may come back there when the game is even
LEFT = 0.05
ASLEEP = 1e-4  # a critic whose loss stays below this sees no difference, or has no say
FLAT = 1e-3  # standard deviation of a picture in 0..1 that shows nothing


class Watch:
    """Look at the losses of each step; stop on NaN, warn once of each collapse."""

    def __init__(self) -> None:
        self.streaks = dict.fromkeys(("critic", "spread", *START), 0)
        self.learnt: set[str] = set()  # losses at whose start the critic is no more

    def look(self, step: int, losses: dict[str, float]) -> str | None:
        """Warnings that have just become due, a line each, or None.

        Args:
            step: number of the step, 0, 1, ...
            losses: its record; 'critic' (the adversarial or multi-scale loss of a critic, of every GAN
                of the kit) and 'spread' (standard deviation of the pictures made) are looked at where
                they are there.

        Raises:
            Diverged: a loss is not a number.
        """
        for name, value in losses.items():
            if not math.isfinite(value):
                raise Diverged(f"step {step}", f"the loss '{name}' is {value}")
        for name, bound in (("critic", ASLEEP), ("spread", FLAT)):
            small = name in losses and abs(losses[name]) < bound
            self.streaks[name] = self.streaks[name] + 1 if small else 0
        for name, start in START.items():
            critic = losses.get("critic", math.inf)
            if critic < start - LEFT:
                self.learnt.add(name)
            still = abs(critic - start) < NEAR and name not in self.learnt
            self.streaks[name] = self.streaks[name] + 1 if still else 0
        due = []
        if self.streaks["critic"] == PATIENCE:
            due.append(
                f"warning, step {step}: the critic's loss has been 0 for {PATIENCE} steps. It either tells real "
                "from fake with ease or sees no difference at all, and teaches the other network nothing."
            )
        for name, start in START.items():
            if self.streaks[name] == NOTHING_LEARNT:
                due.append(
                    f"warning, step {step}: the critic's {name} loss has been {start:.2f} for {NOTHING_LEARNT} steps, as if "
                    "it answered 0 to everything. It has learnt nothing, and the generator paints by its other losses "
                    "alone; a larger --rate helps, and in synthesis --no-spectral with --r1."
                )
        if self.streaks["spread"] == PATIENCE:
            due.append(
                f"warning, step {step}: every picture made in {PATIENCE} steps is one flat grey. The network has "
                "found that saying nothing costs least; more slices with stroke (--lesion-share) help, and in segmentation a Dice term (--dice)."
            )
        return "\n".join(due) or None
