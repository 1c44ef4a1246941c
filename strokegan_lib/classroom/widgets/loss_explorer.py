"""What does a loss do with a pixel that it is not sure of? Two losses, their minima and their gradients."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE_HEX, ORANGE_HEX, chart, rendered

GREYS = np.linspace(0.001, 0.999, 999)  # o, where the curves are drawn


def l1(o: Tensor, t: Tensor) -> Tensor:
    """|o - t|, of the painted grey o and the true grey t."""
    return (o - t).abs()


def divergence(o: Tensor, t: Tensor) -> Tensor:
    """Kullback-Leibler divergence of two coins: t log(t / o) + (1 - t) log((1 - t) / (1 - o))."""
    cross_entropy = -t * o.log() - (1 - t) * (1 - o).log()
    return cross_entropy - torch.special.entr(t) - torch.special.entr(1 - t)


LOSSES = {
    "L1": (l1, {"color": ORANGE_HEX, "ls": "-"}),
    "divergence": (divergence, {"color": BLUE_HEX, "ls": "--"}),
}


def expected(
    loss: Callable[[Tensor, Tensor], Tensor], greys: np.ndarray, grey: float, chance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss of painted greys, (n,), and its gradient in the logit: the truth is *grey* or else black."""
    logit = torch.logit(torch.from_numpy(greys)).requires_grad_()
    o, t = logit.sigmoid(), torch.tensor(grey, dtype=logit.dtype)
    mean = chance * loss(o, t) + (1 - chance) * loss(o, 0 * t)
    (gradient,) = torch.autograd.grad(mean.sum(), logit)
    return mean.detach().numpy(), gradient.numpy()


class LossExplorer(Interactive):
    """One pixel that shows stroke of a certain grey with a certain chance, else black. Used in notebook 10.

    Left, the mean loss of every grey that could be painted, scaled so that both share an axis; a dot marks
    the minimum. Right, minus the gradient in the logit: above 0 a step makes the pixel brighter.
    """

    def __init__(self) -> None:
        def slider(value: float, low: float, high: float, words: str) -> widgets.FloatSlider:
            return widgets.FloatSlider(value, min=low, max=high, step=0.01, description=words)

        super().__init__(
            painted=slider(0.02, 0.01, 0.99, "painted grey"),
            grey=slider(0.7, 0.05, 0.95, "grey of the stroke"),
            chance=slider(1.0, 0.0, 1.0, "chance of stroke"),
        )

    def draw(self, painted: float, grey: float, chance: float) -> tuple[np.ndarray, str]:
        margins = {"left": 0.07, "right": 0.98, "bottom": 0.16, "top": 0.96, "wspace": 0.24}
        figure, (left, right) = chart((9.6, 3.2), columns=2, dpi=80, **margins)
        words = f"painted {painted:.2f}, stroke of grey {grey:.2f} with a chance of {chance:.0%}"
        for name, (loss, look) in LOSSES.items():
            height, gradient = expected(loss, GREYS, grey, chance)
            height = height / height[[np.abs(GREYS - grey).argmin(), 0]].sum()
            lowest = int(height.argmin())
            left.plot(GREYS, height, lw=2, label=name, **look)
            dot = {"color": look["color"], "mec": "black", "ms": 8, "clip_on": False}
            left.plot(GREYS[lowest], height[lowest], "o", **dot)
            right.plot(GREYS, -gradient, lw=2, **look)
            now = -expected(loss, np.array([painted]), grey, chance)[1].item()
            words += f"; {name}: minus gradient {round(now, 3) + 0:+.3f}, minimum at {GREYS[lowest]:.2f}"
        left.set(ylabel="mean loss, scaled", ylim=(0, 2), yticks=(0, 1, 2))
        right.set(ylabel="minus the gradient in the logit", ylim=(-1, 1), yticks=(-1, 0, 1))
        right.axhline(0, color="black", lw=0.6)
        for axes in (left, right):  # each tick costs a millisecond
            axes.set(xlabel="painted grey", xlim=(0, 1), xticks=(0, 0.5, 1))
            axes.axvline(painted, color="black", lw=1, ls=":")
        left.legend(fontsize=9, loc="upper center")
        return rendered(figure), words
