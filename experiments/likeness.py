"""How like real FLAIR slices the phantom's are, at the same height: grey levels, and detail at every scale.

A distance between two sets of pictures means little by itself, for two samples of the same people differ too. So each is
given beside the one between two halves of the real set, and the phantom's set is as large as such a half.
"""

from itertools import count, islice

import numpy as np
import torch
from scipy import stats

from experiments.realism import halvings
from experiments.runner import Line, Place, Result
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order
from strokegan_lib.data.windows import DARKEST
from strokegan_lib.errors import BadInput
from strokegan_lib.phantom.epidemiology import plan_stroke
from strokegan_lib.phantom.patient import make_patient
from strokegan_lib.phantom.scanner import WINDOW

TIMES = 200  # that the real slices are halved
LEVELS = np.arange(DARKEST, 256)  # that tissue can have
WHAT = (
    "Phantom FLAIR slices against real ones of the same height, one a patient; grey levels: Wasserstein-1; spectrum: root "
    "mean square of log10; halves: two halves of the real set"
)
Slices = tuple[np.ndarray, np.ndarray]  # images, (n, 128, 128) uint8, and foregrounds, (n, 128, 128) 0/1


def grey_levels(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Share of each of LEVELS in the foreground, (H, W) uint8 and 0/1 -> (248,); it sums to 1."""
    counts = np.bincount(image[foreground == 1], minlength=256)[DARKEST:]
    return counts / counts.sum()


def grey_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance of two distributions of grey levels, (248,) each, in grey levels."""
    return float(stats.wasserstein_distance(LEVELS, LEVELS, a, b))


def radial_spectrum(image: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """log10 of the power at 1, 2, ... H/2 - 1 cycles an image, in any direction, (H, H) uint8 -> (H/2 - 1,)."""
    size = len(image)
    taper = np.outer(np.hanning(size), np.hanning(size))  # no jump where the picture ends
    k = np.fft.fftfreq(size, 1 / size)
    radius = np.rint(np.hypot(k[:, None], k)).astype(int).ravel()  # (H * H,)
    power = np.abs(np.fft.fft2(image / 255 * taper)) ** 2  # (H, H)
    mean = np.bincount(radius, power.ravel()) / np.bincount(radius)
    return np.log10(mean[1 : size // 2] + 1e-12)


def spectrum_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square difference of two log10 spectra; 0.3 is a factor of two in power."""
    return float(np.sqrt(np.mean((a - b) ** 2)))


# name: the curve of a slice, and how two mean curves are compared
MEASURES = {
    "grey levels": (grey_levels, grey_distance),
    "radial spectrum": (radial_spectrum, spectrum_distance),
}


def likeness(place: Place) -> Result:
    """A line for each measure; BadInput for data without FLAIR."""
    height = float(np.median(place.data.table["z"]))
    real = slices_at(place.data, height)
    phantom = grow_slices(len(real[0]) // 2, height)
    counts = {"phantom_slices": len(phantom[0]), "real_slices": len(real[0])}
    lines = [compared(name, real, phantom) for name in MEASURES]
    return Result(WHAT, {"": lines}, {"height_mm": height, "counts": counts})


def compared(name: str, real: Slices, phantom: Slices) -> Line:
    """Mean distance of the phantom's slices to a half of the real ones, and of two such halves."""
    curve, distance = MEASURES[name]
    true, made = (np.stack([curve(*pair) for pair in zip(*of, strict=True)]) for of in (real, phantom))
    apart, halves = [], []
    for sides in halvings(np.arange(len(true)), np.random.default_rng(0), TIMES):
        one, other = (true[rows].mean(0) for rows in sides)
        halves.append(distance(one, other))
        apart += [distance(made.mean(0), side) for side in (one, other)]
    found = {"phantom": float(np.mean(apart)), "halves": float(np.mean(halves))}
    return {"measure": name, **found, "ratio": found["phantom"] / found["halves"]}


def slices_at(data: SliceSet, height: float) -> Slices:
    """FLAIR slices within half a plane of a *height*, mm; the data have one slice a patient."""
    if "flair" not in data.channels:
        raise BadInput(data.folder, "has no FLAIR", "prepare it with --modality flair")
    near = np.abs(data.table["z"] - height) <= data.table["thickness"] / 2
    return data.images[near, data.channels.index("flair")], data.foreground[near]


def grow_slices(n: int, height: float) -> Slices:
    """The slice at that height, mm, of each of the first n phantom patients who have a stroke."""
    numbers = islice((number for number in count() if plan_stroke(number, 0)), n)

    def one(number: int) -> Slices:
        # real slices were brought to MNI space: the same anatomy is looked for in the phantom's head
        head = make_patient(number, z=np.array([height])).head
        there = float(head.to_mni(torch.tensor([[0.0, head.middle(), height]]))[0, 2])
        patient = make_patient(number, z=np.array([2 * height - there]))
        return WINDOW.to_bytes(patient.images, patient.foreground)[0], patient.foreground[0]

    images, foreground = zip(*in_order(one, numbers, workers=2), strict=True)
    return np.stack(images), np.stack(foreground)
