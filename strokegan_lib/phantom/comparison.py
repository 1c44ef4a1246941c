"""The strokes of a phantom data set beside 1,449 real acute strokes, for its card.

The real ones are those of SOOP in MNI space (Absher et al., Scientific Data 11 (2024) 839).
"""

from __future__ import annotations

import numpy as np

from strokegan_lib.phantom.patient import Patient

SOOP_VOLUME = {5: 0.30, 10: 0.55, 25: 2.0, 50: 12.7, 75: 51.9, 90: 122.7, 95: 196.9}  # percentile: mL
SOOP_TERRITORY = {  # percent of patients, by the territory that holds most of the lesion
    "middle cerebral, frontal": 27.0,
    "lateral lenticulostriate": 15.0,
    "middle cerebral, parietal": 13.0,
    "middle cerebral, temporal": 7.0,
    "middle cerebral, occipital": 1.5,
    "middle cerebral, insular": 1.3,
    "posterior cerebral and thalamoperforating": 13.0,
    "vertebrobasilar and cerebellar": 13.0,
    "anterior cerebral": 8.0,
    "anterior choroidal": 0.3,
}
GROUPED = {  # the phantom's finer territories
    "posterior cerebral": "posterior cerebral and thalamoperforating",
    "thalamoperforating": "posterior cerebral and thalamoperforating",
    "basilar": "vertebrobasilar and cerebellar",
    "superior cerebellar": "vertebrobasilar and cerebellar",
    "inferior cerebellar": "vertebrobasilar and cerebellar",
}


def facts_of(patient: Patient) -> dict:
    """A patient in a few words, for the card: age, and the lesion that grew (MNI space)."""
    facts = {"patient": patient.name, "age": round(patient.head.age), "stroke": patient.lesion is not None}
    if patient.lesion:
        facts |= {
            "volume_ml": round(patient.lesion.volume, 3),
            "territory": patient.lesion.territory,
            "pieces": patient.lesion.pieces,
            "right_share": round(patient.lesion.right, 3),
        }
    return facts


def compare_with_soop(facts: list[dict]) -> list[dict]:
    """Rows of (what, phantom, SOOP), over the patients with a stroke; none where no patient has one.

    Args:
        facts: of every patient, from :func:`facts_of`.
    """
    strokes = [fact for fact in facts if fact["stroke"]]
    if not strokes:
        return []
    volume, pieces, right = (
        np.array([fact[name] for fact in strokes]) for name in ("volume_ml", "pieces", "right_share")
    )
    territory = np.array([GROUPED.get(fact["territory"], fact["territory"]) for fact in strokes])
    low, median, high, highest = np.percentile(pieces, (25, 50, 75, 90))
    rows = [
        *((f"volume, percentile {p}, mL", np.percentile(volume, p), ml) for p, ml in SOOP_VOLUME.items()),
        *((f"{name}, %", 100 * np.mean(territory == name), share) for name, share in SOOP_TERRITORY.items()),
        ("one piece, %", 100 * np.mean(pieces == 1), 36.0),
        ("pieces, 25th percentile", low, 1),
        ("pieces, median", median, 2),
        ("pieces, 75th percentile", high, 5),
        ("pieces, 90th percentile", highest, 8),
        ("more on the right, %", 100 * np.mean(right > 0.5), 50.0),
        ("over a tenth on the other side, %", 100 * np.mean(np.minimum(right, 1 - right) > 0.1), 17.0),
    ]
    return [{"what": what, "phantom": round(float(found), 2), "soop": real} for what, found, real in rows]
