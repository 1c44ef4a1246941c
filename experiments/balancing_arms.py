"""The ways to learn from few lesions that balancing.py compares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REFERENCE = "oversampling"  # every other arm is compared with it: copies cost nothing


@dataclass(frozen=True)
class Arm:
    """One way to learn from few lesions.

    Attributes:
        lesion_share: share of stroke in the batches; None for what the data hold.
        synthesis: options of strokegan_lib.synthesise; empty for real slices alone.
    """

    lesion_share: float | None = None
    synthesis: tuple[str, ...] = ()


def arms(low: float, high: float) -> dict[str, Arm]:
    """The rivals. All that balance show the segmentor the share *high*, one GAN arm *low*."""
    return {
        REFERENCE: Arm(lesion_share=high),
        "real": Arm(),
        "carvemix": Arm(synthesis=("--method", "carvemix", "--ratio", f"{high:g}")),
        f"gan-{100 * low:.0f}": Arm(synthesis=("--ratio", f"{low:g}")),
        f"gan-{100 * high:.0f}": Arm(synthesis=("--ratio", f"{high:g}")),
        "synthetic-only": Arm(synthesis=("--ratio", f"{high:g}", "--only-synthetic")),
    }


def painters(high: float, weights: list[Path], masks: Path | None) -> dict[str, Arm]:
    """Oversampling, and an arm for each generator; with made masks a second one for each."""
    found = {REFERENCE: Arm(lesion_share=high)}
    for file in weights:
        words = ("--ratio", f"{high:g}", "--weights", str(file))
        found[f"{file.stem}-{100 * high:.0f}"] = Arm(synthesis=words)
        if masks:
            words += ("--mask-weights", str(masks))
            found[f"{file.stem}-{100 * high:.0f} made masks"] = Arm(synthesis=words)
    return found
