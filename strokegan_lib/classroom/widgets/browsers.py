"""The widgets of notebooks 00 and 01: slices leafed through, two readers' masks compared, a window chosen."""

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np

from strokegan_lib.classroom.widgets.interactive import Interactive
from strokegan_lib.classroom.widgets.pixels import BLUE, ORANGE, ORANGE_HEX, chart, outlined, rendered
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.windows import Window


class PatientBrowser(Interactive):
    """Leaf through planes and channels of the patients of a data set, lesions outlined; both count from 0."""

    def __init__(self, slices: SliceSet) -> None:
        self.slices = slices
        self.rows = [slices.of_patient(patient) for patient in slices.patients]
        planes = len(self.rows[0])
        patient = widgets.IntSlider(0, 0, len(self.rows) - 1, description="patient")
        plane = widgets.IntSlider(planes // 2, 0, planes - 1, description="plane")
        # patients may differ in their number of planes
        patient.observe(lambda change: plane.set_trait("max", len(self.rows[change["new"]]) - 1), "value")
        channel = widgets.Dropdown(options=slices.channels, description="channel")
        super().__init__(patient=patient, plane=plane, channel=channel)

    def draw(self, patient: int, plane: int, channel: str) -> tuple[np.ndarray, str]:
        rows = self.rows[patient]
        stroke = self.slices.stroke[rows[plane]]
        image = self.slices.images[rows[plane], self.slices.channels.index(channel)]
        lesion = f"{stroke.sum()} pixels of stroke, outlined in orange" if stroke.any() else "no stroke"
        others = np.flatnonzero(self.slices.table["has_stroke"][rows])
        if others.size and not stroke.any():
            lesion += f" (this patient's lies between planes {others[0]} and {others[-1]})"
        where = f"{self.slices.patients[patient]}, plane {plane} (0 to {len(rows) - 1}), {channel}"
        return outlined(image, (stroke, ORANGE)), f"{where}: {lesion}"


class MaskComparison(Interactive):
    """A reader's mask beside one drawn a little larger or smaller, and their agreement.

    Args:
        image: (H, W) uint8.
        mask: (H, W) bool, the first reader's, drawn in orange.
        redraw: (mask, pixels) -> the second reader's mask, drawn in blue.
        score: (first, second) -> their agreement.
    """

    def __init__(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        redraw: Callable[..., np.ndarray],
        score: Callable[..., float],
    ) -> None:
        self.slice, self.mask, self.second, self.score = image, mask, redraw, score
        super().__init__(pixels=widgets.IntSlider(0, -3, 3, description="edge moved by (pixels)"))

    def draw(self, pixels: int) -> tuple[np.ndarray, str]:
        second = self.second(self.mask, pixels)
        return outlined(self.slice, (self.mask, ORANGE), (second, BLUE)), (
            f"first reader {self.mask.sum()} pixels (orange), second reader {second.sum()} pixels (blue), "
            f"edge moved by {pixels:+d}: Dice {self.score(self.mask, second):.3f}"
        )


class WindowExplorer(Interactive):
    """A plane of a scan in a window that one chooses, and the histograms of its tissue and its lesion.

    Args:
        plane: (H, W) in the scanner's own unit, 0 to about 1500.
        lesion, foreground: (H, W) bool.
    """

    def __init__(self, plane: np.ndarray, lesion: np.ndarray, foreground: np.ndarray) -> None:
        self.plane, self.lesion, self.foreground = plane, lesion, foreground
        self.tissue = foreground & ~lesion
        super().__init__(
            low=widgets.IntSlider(0, 0, 1500, 10, description="window from"),
            high=widgets.IntSlider(1000, 10, 4000, 10, description="to"),
        )

    def draw(self, low: int, high: int) -> tuple[np.ndarray, str]:
        high = max(high, low + 1)
        grey = Window("", low, high, "").to_bytes(self.plane, self.foreground)
        picture = outlined(grey)
        figure, axes = chart((5, len(picture) / 96), left=0.04, right=0.95, bottom=0.15, top=0.97)
        axes.axvspan(low, min(high, 1600), color="0.88", label="window")
        style = {"bins": np.linspace(0, 1600, 65), "density": True, "histtype": "step", "lw": 2}
        axes.hist(self.plane[self.tissue], color="black", label="tissue", **style)
        axes.hist(self.plane[self.lesion], color=ORANGE_HEX, label="lesion", **style)
        axes.set(xlim=(0, 1600), yticks=[], xlabel="scanner's value")
        axes.legend(loc="upper right", frameon=False)
        lesion, tissue = (int(np.median(grey[where])) for where in (self.lesion, self.tissue))
        return np.concatenate([picture, rendered(figure)], axis=1), (
            f"window from {low} to {high}: tissue has the byte {tissue} and the lesion {lesion} (medians), "
            f"{abs(lesion - tissue)} apart; {100 * np.mean(grey[self.foreground] == 255):.0f} % of the brain is white"
        )
