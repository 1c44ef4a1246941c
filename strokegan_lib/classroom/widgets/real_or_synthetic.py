"""The game: is this slice from the data, or did a network make it?"""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
from scipy.stats import binom

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, outlined, png

OPEN, REAL, SYNTHETIC = "?", "real", "synthetic"
FRAME = 6  # screen pixels: air around the head, nothing is hidden


class RealOrSynthetic(Interactive):
    """One slice after the other, and a score. Used in notebook 07.

    A coin decides for each picture which kind it is, so counting does not help. The first answer
    counts; then a frame tells, blue for real and orange for synthetic.

    Args:
        real, synthetic: (n, H, W) and (m, H, W) uint8, *rounds* pictures or more each.
        rounds: pictures to judge.
        seed: of the coin and the choice; each new game takes the next.

    Example:
        ``RealOrSynthetic(real, painted).set(number=1, answer="real")``; pictures count from 1.

    Raises:
        ValueError: fewer pictures than rounds.
    """

    def __init__(self, real: np.ndarray, synthetic: np.ndarray, rounds: int = 12, seed: int = 0) -> None:
        if min(len(real), len(synthetic)) < rounds:
            raise ValueError(f"{rounds} rounds need as many pictures of each kind")
        self.piles, self.rounds, self.seed = {REAL: real, SYNTHETIC: synthetic}, rounds, seed
        self._start()
        self.answer = widgets.ToggleButtons(options=[OPEN, REAL, SYNTHETIC], description="it is")
        super().__init__(number=widgets.IntSlider(1, 1, rounds, description="picture"), answer=self.answer)
        for words, act in {"Next picture": self.next, "Play again": self.again}.items():
            button = widgets.Button(description=words)
            button.on_click(lambda _, act=act: act())
            self.row.children = [*self.row.children, button]

    def _start(self) -> None:
        """Choose the pictures of a game."""
        rng = np.random.default_rng(self.seed)
        self.truth = [REAL if coin else SYNTHETIC for coin in rng.random(self.rounds) < 0.5]
        order = {kind: rng.permutation(len(pile)) for kind, pile in self.piles.items()}
        self.pictures = [self.piles[kind][order[kind][k]] for k, kind in enumerate(self.truth)]
        self.answers: dict[int, str] = {}
        self.shown = 1

    def next(self) -> RealOrSynthetic:
        """The first picture after this one that has no answer; the next one if all have."""
        ahead = [(self.shown + k) % self.rounds + 1 for k in range(self.rounds)]
        return self.set(number=next((number for number in ahead if number not in self.answers), ahead[0]))

    def again(self) -> RealOrSynthetic:
        """A new game: other pictures, no answers."""
        self.seed += 1
        self._start()
        with self.quietly():
            self.set(number=1, answer=OPEN)
        self.redraw()
        return self

    def draw(self, number: int, answer: str) -> tuple[bytes, str]:
        if number != self.shown:  # another picture: the button shows what was said of that one
            self.shown = number
            with self.quietly():
                self.answer.value = answer = self.answers.get(number, OPEN)
        if answer != OPEN:
            self.answers.setdefault(number, answer)
        said, truth = self.answers.get(number), self.truth[number - 1]
        shown, where = outlined(self.pictures[number - 1]), f"picture {number} of {self.rounds}"
        if said is None:
            return png(shown), f"{where}: real or synthetic? {self.score()}"
        inside = shown[FRAME:-FRAME, FRAME:-FRAME].copy()
        shown[:] = BLUE if truth == REAL else ORANGE
        shown[FRAME:-FRAME, FRAME:-FRAME] = inside
        verdict = "right" if said == truth else "wrong"
        return png(shown), f"{where}: you said {said}, it is {truth}: {verdict}. {self.score()}"

    def score(self) -> str:
        """How many answers were right, and what a coin would make of as many pictures."""
        if not self.answers:
            return "No answer yet."
        right, count = self.right(), len(self.answers)
        luck = binom.sf(right - 1, count, 0.5)
        return f"Score {right} of {count}; a coin does as well or better with probability {luck:.2f}."

    def right(self) -> int:
        """Right answers so far."""
        return sum(self.truth[number - 1] == said for number, said in self.answers.items())
