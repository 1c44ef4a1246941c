"""Who has a stroke, where and how large: drawn so that small groups are typical too.

The numbers follow 1,449 acute strokes of the SOOP data (Absher et al., Scientific Data
11 (2024) 839): territories, volumes in MNI space, number of pieces, sides. Patients are
drawn from a scrambled Sobol sequence, whose first n points are spread evenly for every
n. So 40 patients look like a small sample of 440, and patient k is the same in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, qmc

from strokegan_lib.phantom.territories import NAMES


class Supply(NamedTuple):
    """Strokes of one territory."""

    share: float  # percent of stroke patients
    median: float  # median volume, mL
    spread: float  # standard deviation of the volume's natural logarithm
    largest: float  # largest volume that is drawn, mL


SUPPLIES = {
    "anterior cerebral": Supply(8.0, 6.0, 2.3, 150),
    "medial lenticulostriate": Supply(0.7, 1.5, 1.0, 8),
    "lateral lenticulostriate": Supply(15.0, 2.4, 1.2, 40),
    "middle cerebral, frontal": Supply(27.0, 33.0, 2.1, 260),
    "middle cerebral, parietal": Supply(13.0, 26.0, 1.8, 210),
    "middle cerebral, temporal": Supply(7.0, 44.0, 1.5, 220),
    "middle cerebral, occipital": Supply(1.5, 20.0, 1.0, 80),
    "middle cerebral, insular": Supply(1.3, 5.0, 1.3, 20),
    "anterior choroidal": Supply(0.3, 3.5, 0.5, 10),
    "posterior cerebral": Supply(9.0, 26.0, 1.3, 150),
    "thalamoperforating": Supply(4.0, 1.2, 1.1, 12),
    "basilar": Supply(4.0, 0.9, 1.0, 10),
    "superior cerebellar": Supply(3.0, 10.0, 1.8, 60),
    "inferior cerebellar": Supply(6.0, 9.0, 1.5, 70),
}
STROKE_PATIENTS = 0.483  # share of patients with a stroke: gives 18.38 % of slices, the paper's share
SMALLEST = 0.12  # mL
# cumulative share of patients with at most 1, 2, 3, ... pieces of 30 mm3 or more
PIECES = (0.36, 0.53, 0.64, 0.725, 0.79, 0.85, 0.88, 0.91, 0.93, 0.95, 0.97, 1.0)
OTHER_SIDE = 0.17  # share of patients with more than a tenth of the lesion in the other hemisphere


@dataclass(frozen=True)
class Plan:
    """The stroke that a patient is to have.

    Attributes:
        territory: one of territories.NAMES, where most of the lesion lies.
        volume: mL in MNI space.
        side: -1 left, +1 right.
        pieces: number of separate pieces.
        other_side: share of the lesion in the other hemisphere.
        border_zone: whether the pieces lie between two arteries (watershed).
    """

    territory: str
    volume: float
    side: int
    pieces: int
    other_side: float
    border_zone: bool


@lru_cache(maxsize=4)
def _sequence(dimensions: int, seed: int, stream: int, power: int) -> np.ndarray:
    """The first 2^power points of a scrambled Sobol sequence, (2^power, dimensions)."""
    return qmc.Sobol(dimensions, rng=np.random.default_rng([seed, stream])).random_base2(power)


def _points(dimensions: int, seed: int, stream: int, n: int) -> np.ndarray:
    """The first n points, (n, dimensions) in [0, 1)."""
    # a power of two at least n: keeps the scrambling, and so the points, the same for any n
    return _sequence(dimensions, seed, stream, max(10, math.ceil(math.log2(n))))[:n]


def plan_stroke(patient: int, seed: int) -> Plan | None:
    """What stroke the patient has, None for no stroke: a function of *patient* and *seed* alone.

    Args:
        patient: number of the patient, 0 or more.
        seed: seed of the data set.
    """
    has_stroke = _points(1, seed, 1, patient + 1)[:, 0] < STROKE_PATIENTS
    if not has_stroke[patient]:
        return None
    u = _points(7, seed, 2, int(has_stroke.sum()))[-1]  # the patient's place among strokes

    shares = np.cumsum([SUPPLIES[name].share for name in NAMES])
    territory = NAMES[int(np.searchsorted(shares / shares[-1], u[0], side="right"))]
    supply = SUPPLIES[territory]
    volume = supply.median * math.exp(supply.spread * norm.ppf(np.clip(u[1], 1e-6, 1 - 1e-6)))
    volume = float(np.clip(volume, SMALLEST, supply.largest))
    pieces = 1 + int(np.searchsorted(PIECES, u[2], side="right"))
    pieces = min(pieces, max(1, int(volume / 0.1)))  # a piece holds 0.1 mL on average
    # only patients with several pieces can have one on the other side
    several = u[4] < OTHER_SIDE / (1 - PIECES[0])
    return Plan(
        territory=territory,
        volume=volume,
        side=1 if u[3] < 0.5 else -1,
        pieces=pieces,
        other_side=float(0.12 + 0.36 * u[5]) if pieces > 1 and several else 0.0,
        border_zone=bool(pieces > 2 and u[6] < 0.12 and "cerebral" in territory),
    )
