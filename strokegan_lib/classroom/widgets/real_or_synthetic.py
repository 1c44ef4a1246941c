"""The game: is this slice from the data, or did a network make it?"""

from typing import Any

import ipywidgets as widgets
import numpy as np
from scipy.stats import binom

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, outlined

OPEN, REAL, SYNTHETIC = "?", "real", "synthetic"
FRAME = 6  # screen pixels: air around the head, nothing is hidden


class RealOrSynthetic(Interactive):
    """One slice after the other, and a score. Used in notebook 07.

    A coin decides for each picture which kind it is. The first answer counts; then a frame tells, blue for
    real and orange for synthetic.

    Args:
        real, synthetic: (n, H, W) and (m, H, W) uint8, *rounds* pictures or more each.
        rounds: pictures to judge, counted from 1.
        seed: of the coin and the choice; each new game takes the next.
    """

    def __init__(self, real: np.ndarray, synthetic: np.ndarray, rounds: int = 12, seed: int = 0) -> None:
        self.piles, self.rounds, self.seed = {REAL: real, SYNTHETIC: synthetic}, rounds, seed
        self._choose_pictures()
        number = widgets.IntSlider(1, 1, rounds, description="picture")
        answer = widgets.ToggleButtons(options=[OPEN, REAL, SYNTHETIC], description="it is")
        # the buttons show what was said of another picture
        number.observe(
            lambda change: answer.set_trait("value", self.answers.get(change["new"], OPEN)), "value"
        )
        super().__init__(number=number, answer=answer)
        for words, act in {"Next picture": self.next, "Play again": self.again}.items():
            button = widgets.Button(description=words)
            button.on_click(act)
            self.row.children = [*self.row.children, button]

    def _choose_pictures(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.truth = [REAL if coin else SYNTHETIC for coin in rng.random(self.rounds) < 0.5]
        order = {kind: rng.permutation(len(pile)) for kind, pile in self.piles.items()}
        self.pictures = [self.piles[kind][order[kind][k]] for k, kind in enumerate(self.truth)]
        self.answers: dict[int, str] = {}

    def next(self, _button: Any = None) -> None:
        """The first picture after this one that has no answer; the next one if all have."""
        shown = self.controls["number"].value
        ahead = [(shown + k) % self.rounds + 1 for k in range(self.rounds)]
        self.set(number=next((number for number in ahead if number not in self.answers), ahead[0]))

    def again(self, _button: Any = None) -> None:
        """A new game: other pictures, no answers."""
        self.seed += 1
        self._choose_pictures()
        self.set(number=1, answer=OPEN)

    def draw(self, number: int, answer: str) -> tuple[np.ndarray, str]:
        if answer != OPEN:
            self.answers.setdefault(number, answer)
        said, truth = self.answers.get(number), self.truth[number - 1]
        shown, where = outlined(self.pictures[number - 1]), f"picture {number} of {self.rounds}"
        if said is None:
            return shown, f"{where}: real or synthetic? {self.score()}"
        framed = np.full_like(shown, BLUE if truth == REAL else ORANGE)
        framed[FRAME:-FRAME, FRAME:-FRAME] = shown[FRAME:-FRAME, FRAME:-FRAME]
        verdict = "right" if said == truth else "wrong"
        return framed, f"{where}: you said {said}, it is {truth}: {verdict}. {self.score()}"

    def score(self) -> str:
        """How many answers were right, and what a coin would make of as many pictures."""
        if not self.answers:
            return "No answer yet."
        right = sum(self.truth[number - 1] == said for number, said in self.answers.items())
        luck = binom.sf(right - 1, len(self.answers), 0.5)
        return f"Score {right} of {len(self.answers)}; a coin does as well or better with probability {luck:.2f}."
