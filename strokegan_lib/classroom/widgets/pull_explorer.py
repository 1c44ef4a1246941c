"""What does a loss do with a pixel that it is not sure of? Two losses, their valleys and their pulls."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, png

GREYS = np.linspace(0.001, 0.999, 999)  # painted, where the curves are drawn
BOUND = 1.0  # of the pulls: that of the divergence ends at 1, that of L1 at 1/4


def l1(painted: np.ndarray, true: float) -> np.ndarray:
    return np.abs(painted - true)


def l1_pull(painted: np.ndarray, true: float) -> np.ndarray:
    """Minus the gradient of L1 in the logit of the painted grey: the way that a step goes."""
    return np.sign(true - painted) * painted * (1 - painted)


def divergence(painted: np.ndarray, true: float) -> np.ndarray:
    """Kullback-Leibler divergence of two coins, the true one's from the painted one's."""
    return _times_log(true, true / painted) + _times_log(1 - true, (1 - true) / (1 - painted))


def divergence_pull(painted: np.ndarray, true: float) -> np.ndarray:
    return true - painted


def _times_log(p: float, ratio: np.ndarray) -> np.ndarray:
    return p * np.log(ratio) if p > 0 else np.zeros_like(ratio)


Curve = Callable[[np.ndarray, float], np.ndarray]
LOSSES: dict[str, tuple[Curve, Curve, tuple[int, int, int]]] = {
    "L1": (l1, l1_pull, ORANGE),
    "divergence": (divergence, divergence_pull, BLUE),
}


def expected(curve: Curve, painted: np.ndarray, grey: float, chance: float) -> np.ndarray:
    """Mean of a loss or a pull over what may be true: *grey* with that chance, else black."""
    return chance * curve(painted, grey) + (1 - chance) * curve(painted, 0.0)


class PullExplorer(Interactive):
    """One pixel that shows stroke of a certain grey with a certain chance, and is black otherwise.

    Left, the mean loss of every grey that could be painted, divided by its height for black
    and grey together so that both losses share an axis; a dot marks the lowest place. Right, the
    mean pull on the logit: above 0 it makes the pixel brighter. A line marks what is painted now.

    Example:
        ``PullExplorer().set(painted=0.02, grey=0.7, chance=0.4)``
    """

    def __init__(self) -> None:
        self._prepare()

        def slider(value: float, low: float, high: float, words: str) -> widgets.FloatSlider:
            return widgets.FloatSlider(value, min=low, max=high, step=0.01, description=words)

        super().__init__(
            painted=slider(0.02, 0.01, 0.99, "painted grey"),
            grey=slider(0.7, 0.05, 0.95, "grey of the stroke"),
            chance=slider(1.0, 0.0, 1.0, "chance of stroke"),
        )

    def draw(self, painted: float, grey: float, chance: float) -> tuple[bytes, str]:
        told = []
        for name, (loss, pull, _) in LOSSES.items():
            valley = expected(loss, GREYS, grey, chance)
            lowest = int(valley.argmin())
            scale = valley[[np.abs(GREYS - grey).argmin(), 0]].sum()
            line, dot, force = self.drawn[name]
            line.set_ydata(valley / scale)
            dot.set_data([GREYS[lowest]], [valley[lowest] / scale])
            force.set_ydata(expected(pull, GREYS, grey, chance))
            now = float(expected(pull, np.array(painted), grey, chance))
            told.append(f"{name} pulls {round(now, 3) + 0:+.3f} and wants {abs(GREYS[lowest]):.2f}")
        for line in self.now:
            line.set_xdata([painted, painted])
        self.canvas.restore_region(self.still)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        shown = np.asarray(self.canvas.buffer_rgba())[..., :3]
        return png(shown), (
            f"painted {painted:.2f}, stroke of grey {grey:.2f} with a chance of {chance:.0%}: {'; '.join(told)}"
        )

    def _prepare(self) -> None:
        """Draw once what stays, the words and the axes; the curves are drawn on top each time."""
        figure = Figure(figsize=(9.6, 3.2), dpi=80, layout="constrained")
        self.canvas = FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        left.set(ylabel="mean loss, scaled", ylim=(0, 2), xlim=(0, 1), xlabel="painted grey")
        right.set(ylabel="mean pull on the logit", ylim=(-BOUND, BOUND), xlim=(0, 1), xlabel="painted grey")
        right.axhline(0, color="black", lw=0.6)
        self.drawn, self.moving = {}, []
        for name, (_, _, colour) in LOSSES.items():
            style = {"color": np.array(colour) / 255, "ls": "-" if name == "L1" else "--"}
            flat = np.zeros_like(GREYS)
            (line,) = left.plot(GREYS, flat, lw=2, label=name, **style)
            (dot,) = left.plot([0], [0], "o", color=style["color"], mec="black", ms=8)
            (force,) = right.plot(GREYS, flat, lw=2, **style)
            self.drawn[name] = line, dot, force
            self.moving += [line, dot, force]
        self.now = [ax.axvline(0.5, color="black", lw=1, ls=":") for ax in (left, right)]
        self.moving += self.now
        left.legend(fontsize=9, loc="upper center")
        for artist in self.moving:
            artist.set_animated(True)  # left out when the canvas is drawn
        self.canvas.draw()
        self.still = self.canvas.copy_from_bbox(figure.bbox)
