"""Early warnings: a GAN can fail while its losses look busy."""

import math
from collections import Counter

from strokegan_lib.errors import Diverged

CRITIC_LOSS_FLOOR = 1e-4  # a critic whose loss stays below this sees no difference, or has no say
FLAT = 1e-3  # standard deviation of a picture in 0..1 that shows nothing
START = {"logistic": 2 * math.log(2), "hinge": 2.0}  # loss of a critic that answers 0 to everything
NEAR = 0.01  # of its start, on either side
LEFT = 0.05  # below its start: it has learnt something, and may come back there when the game is even
# steps in a row before a warning; a good critic needs some dozens of steps to leave its start
PATIENCE = {"silent": 50, "flat": 50, "logistic": 300, "hinge": 300}
IDLE = (
    "the critic's {} loss has been {:.2f} for 300 steps, as if it answered 0 to everything: it has learnt nothing. A "
    "larger --rate helps, and in synthesis --no-spectral with --r1."
)
ADVICE = {
    "silent": "the critic's loss has been 0 for 50 steps. It either tells real from fake with ease or sees no "
    "difference at all, and teaches the other network nothing.",
    "flat": "every picture made in 50 steps is one flat grey. More slices with stroke (--lesion-share) help, and in "
    "segmentation a Dice term (--dice).",
} | {name: IDLE.format(name, start) for name, start in START.items()}


class CollapseMonitor:
    """Look at the losses of each step; stop on NaN, warn once of each collapse."""

    def __init__(self) -> None:
        self.streaks: Counter[str] = Counter()  # steps in a row that showed a sign
        self.learnt: set[str] = set()  # losses whose start the critic has left

    def look(self, row: dict[str, float]) -> list[str]:
        """Warnings that have just become due; Diverged where a loss is not a number.

        *row* is 'step' and what was recorded of it; 'critic' (adversarial or multi-scale loss of a critic)
        and 'spread' (standard deviation of the pictures made) are looked at where they are there.
        """
        for name, value in row.items():
            if not math.isfinite(value):
                raise Diverged(f"step {row['step']}", f"the loss '{name}' is {value}")
        critic = row.get("critic", math.inf)
        signs = {"silent": abs(critic) < CRITIC_LOSS_FLOOR, "flat": row.get("spread", math.inf) < FLAT}
        for name, start in START.items():
            if critic < start - LEFT:
                self.learnt.add(name)
            signs[name] = abs(critic - start) < NEAR and name not in self.learnt
        for name, shown in signs.items():
            self.streaks[name] = self.streaks[name] + 1 if shown else 0
        due = [name for name, count in self.streaks.items() if count == PATIENCE[name]]
        return [f"warning, step {row['step']}: {ADVICE[name]}" for name in due]
