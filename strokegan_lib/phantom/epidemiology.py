"""Who has a stroke, where and how large: the statistics of 1,449 acute strokes, and patients drawn from them.

The strokes are those of the SOOP data in MNI space (Absher et al., Scientific Data 11 (2024) 839).
Patients are drawn from a scrambled Sobol sequence, whose first n points are spread evenly for every n:
40 patients look like a small sample of 440, and patient k is the same in both.
"""

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
    median: float  # of the volume, mL
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
STROKE_PATIENTS = 0.483  # share of patients with a stroke: gives 18.4 % of slices, the paper's share
SMALLEST = 0.12  # mL
# cumulative share of patients with at most 1, 2, 3, ... pieces of 30 mm3 or more
PIECES = (0.36, 0.53, 0.64, 0.725, 0.79, 0.85, 0.88, 0.91, 0.93, 0.95, 0.97, 1.0)
OTHER_SIDE = 0.17  # share of patients with more than a tenth of the lesion in the other hemisphere

SOOP_VOLUME = {5: 0.30, 10: 0.55, 25: 2.0, 50: 12.7, 75: 51.9, 90: 122.7, 95: 196.9}  # percentile: mL
POSTERIOR, BELOW = "posterior cerebral and thalamoperforating", "vertebrobasilar and cerebellar"
SOOP_TERRITORY = {  # percent of patients, by the territory that holds most of the lesion
    "middle cerebral, frontal": 27.0,
    "lateral lenticulostriate": 15.0,
    "middle cerebral, parietal": 13.0,
    "middle cerebral, temporal": 7.0,
    "middle cerebral, occipital": 1.5,
    "middle cerebral, insular": 1.3,
    POSTERIOR: 13.0,
    BELOW: 13.0,
    "anterior cerebral": 8.0,
    "anterior choroidal": 0.3,
}
GROUPED = {  # the phantom's finer territories
    **dict.fromkeys(("posterior cerebral", "thalamoperforating"), POSTERIOR),
    **dict.fromkeys(("basilar", "superior cerebellar", "inferior cerebellar"), BELOW),
}


@dataclass(frozen=True)
class Plan:
    """The stroke that a patient is to have."""

    territory: str  # one of territories.NAMES, where most of the lesion lies
    volume: float  # mL in MNI space
    side: int  # -1 left, +1 right
    pieces: int  # number of separate pieces
    other_side: float  # share of the lesion in the other hemisphere
    border_zone: bool  # whether the pieces lie between two arteries (watershed)


@lru_cache(maxsize=4)
def _sobol(dimensions: int, seed: int, stream: int, power: int) -> np.ndarray:
    """The first 2^power points of a scrambled Sobol sequence, (2^power, dimensions) in [0, 1)."""
    return qmc.Sobol(dimensions, rng=np.random.default_rng([seed, stream])).random_base2(power)


def plan_stroke(patient: int, seed: int) -> Plan | None:
    """What stroke patient number 0, 1, ... has, None for no stroke: a function of *patient* and *seed* alone."""
    power = max(10, math.ceil(math.log2(patient + 1)))  # a longer sequence begins with the same points
    has_stroke = _sobol(1, seed, 1, power)[: patient + 1, 0] < STROKE_PATIENTS
    if not has_stroke[patient]:
        return None
    u = _sobol(7, seed, 2, power)[has_stroke.sum() - 1]  # the patient's place among strokes

    shares = np.cumsum([SUPPLIES[name].share for name in NAMES])
    territory = NAMES[int(np.searchsorted(shares / shares[-1], u[0], side="right"))]
    supply = SUPPLIES[territory]
    volume = supply.median * math.exp(supply.spread * norm.ppf(np.clip(u[1], 1e-6, 1 - 1e-6)))
    volume = float(np.clip(volume, SMALLEST, supply.largest))
    pieces = 1 + int(np.searchsorted(PIECES, u[2], side="right"))
    pieces = min(pieces, max(1, int(volume / 0.1)))  # a piece holds 0.1 mL on average
    # only patients with several pieces can have one on the other side
    crosses = pieces > 1 and u[4] < OTHER_SIDE / (1 - PIECES[0])
    return Plan(
        territory=territory,
        volume=volume,
        side=1 if u[3] < 0.5 else -1,
        pieces=pieces,
        other_side=float(0.12 + 0.36 * u[5]) if crosses else 0.0,
        border_zone=bool(pieces > 2 and u[6] < 0.12 and "cerebral" in territory),
    )


def compare_with_soop(facts: list[dict]) -> list[dict]:
    """Strokes that grew beside the real ones, for the card: rows of (what, phantom, SOOP).

    *facts* are of every patient, from ``Patient.facts``; there is no row where none has a stroke.
    """
    strokes = [fact for fact in facts if fact["stroke"]]
    if not strokes:
        return []
    volume, pieces, right = (
        np.array([fact[name] for fact in strokes]) for name in ("volume_ml", "pieces", "right_share")
    )
    territory = np.array([GROUPED.get(fact["territory"], fact["territory"]) for fact in strokes])
    rows = [
        *((f"volume, percentile {p}, mL", np.percentile(volume, p), ml) for p, ml in SOOP_VOLUME.items()),
        *((f"{name}, %", 100 * np.mean(territory == name), share) for name, share in SOOP_TERRITORY.items()),
        ("one piece, %", 100 * np.mean(pieces == 1), 36.0),
        ("pieces, 25th percentile", np.percentile(pieces, 25), 1),
        ("pieces, median", np.median(pieces), 2),
        ("pieces, 75th percentile", np.percentile(pieces, 75), 5),
        ("pieces, 90th percentile", np.percentile(pieces, 90), 8),
        ("more on the right, %", 100 * np.mean(right > 0.5), 50.0),
        ("over a tenth on the other side, %", 100 * np.mean(np.minimum(right, 1 - right) > 0.1), 17.0),
    ]
    return [{"what": what, "phantom": round(float(found), 2), "soop": real} for what, found, real in rows]
