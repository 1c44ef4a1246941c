"""The game: is this slice from the data, or did a network paint it?"""

from __future__ import annotations

from math import comb

import ipywidgets as widgets
import numpy as np

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, outlined, picture, png

OPEN, REAL, SYNTHETIC = "?", "real", "synthetic"
FRAME = 6  # screen pixels: air around the head, nothing is hidden


class RealOrSynthetic(Interactive):
    """One slice after the other, and a score.

    A coin decides for each picture which kind it is, so counting does not help. The first answer
    counts; then a frame tells, blue for real and orange for synthetic. "Play again" deals a new
    game.

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
        self.piles, self.seed = {REAL: real, SYNTHETIC: synthetic}, seed
        self._deal(rounds)
        self.answer = widgets.ToggleButtons(options=[OPEN, REAL, SYNTHETIC], description="it is")
        super().__init__(number=widgets.IntSlider(1, 1, rounds, description="picture"), answer=self.answer)
        buttons = []
        for words, act in {"Next picture": self.next, "Play again": self.again}.items():
            buttons.append(widgets.Button(description=words))
            buttons[-1].on_click(lambda _, act=act: act())
        self.row.children = [*self.row.children, *buttons]

    def _deal(self, rounds: int) -> None:
        rng = np.random.default_rng(self.seed)
        self.truth = [REAL if coin else SYNTHETIC for coin in rng.random(rounds) < 0.5]
        order = {kind: rng.permutation(len(pile)) for kind, pile in self.piles.items()}
        self.pictures = [self.piles[kind][order[kind][k]] for k, kind in enumerate(self.truth)]
        self.answers: dict[int, str] = {}
        self.shown = 1

    def next(self) -> RealOrSynthetic:
        """The first picture after this one that has no answer; the next one if all have."""
        here, rounds = self.shown, len(self.truth)
        ahead = [(here + k) % rounds + 1 for k in range(rounds)]
        return self.set(number=next((number for number in ahead if number not in self.answers), ahead[0]))

    def again(self) -> RealOrSynthetic:
        """A new game: other pictures, no answers."""
        self.seed += 1
        self._deal(len(self.truth))
        with self.together():
            self.controls["number"].value, self.answer.value = 1, OPEN
        return self

    def draw(self, number: int, answer: str) -> tuple[bytes, str]:
        if number != self.shown:  # another picture: the button shows what was said of that one
            self.shown = number
            with self.quietly():
                self.answer.value = answer = self.answers.get(number, OPEN)
        if answer != OPEN:
            self.answers.setdefault(number, answer)
        said, truth = self.answers.get(number), self.truth[number - 1]
        where = f"picture {number} of {len(self.truth)}"
        if said is None:
            return picture(self.pictures[number - 1]), f"{where}: real or synthetic? {self.score()}"
        shown = outlined(self.pictures[number - 1])
        for edge in (np.s_[:FRAME], np.s_[-FRAME:], np.s_[:, :FRAME], np.s_[:, -FRAME:]):
            shown[edge] = BLUE if truth == REAL else ORANGE
        verdict = "right" if said == truth else "wrong"
        return png(shown), f"{where}: you said {said}, it is {truth}: {verdict}. {self.score()}"

    def score(self) -> str:
        """How many answers were right, and what a coin would make of as many pictures."""
        if not self.answers:
            return "No answer yet."
        right, count = self.right(), len(self.answers)
        luck = sum(comb(count, k) for k in range(right, count + 1)) / 2**count
        return f"Score {right} of {count}; a coin does as well or better with probability {luck:.2f}."

    def right(self) -> int:
        """Right answers so far."""
        return sum(self.truth[number - 1] == said for number, said in self.answers.items())
