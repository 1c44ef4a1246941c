"""What a phantom data set holds, beside the real strokes that it follows."""

from __future__ import annotations

import numpy as np

from strokegan_lib.phantom.phantom import Patient

# 1,449 acute strokes of SOOP (Absher et al., Scientific Data 11 (2024) 839), in MNI space
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
SOOP_PIECES = {
    "one piece, %": 36.0,
    "pieces, 25th percentile": 1,
    "pieces, median": 2,
    "pieces, 75th percentile": 5,
    "pieces, 90th percentile": 8,
}
GROUPED = {
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
    """Rows of (what, phantom, SOOP), over the patients with a stroke.

    Args:
        facts: of every patient, from :func:`facts_of`.

    Returns:
        A row a statistic; empty where no patient has a stroke.
    """
    strokes = [fact for fact in facts if fact["stroke"]]
    if not strokes:
        return []
    volume = np.array([fact["volume_ml"] for fact in strokes])
    pieces = np.array([fact["pieces"] for fact in strokes])
    right = np.array([fact["right_share"] for fact in strokes])
    territory = np.array([GROUPED.get(fact["territory"], fact["territory"]) for fact in strokes])
    rows = [(f"volume, percentile {p}, mL", np.percentile(volume, p), ml) for p, ml in SOOP_VOLUME.items()]
    rows += [
        (f"{name}, %", 100 * np.mean(territory == name), share) for name, share in SOOP_TERRITORY.items()
    ]
    found = [100 * np.mean(pieces == 1), *np.percentile(pieces, (25, 50, 75, 90))]
    rows += [(name, value, SOOP_PIECES[name]) for name, value in zip(SOOP_PIECES, found, strict=True)]
    rows += [
        ("more on the right, %", 100 * np.mean(right > 0.5), 50.0),
        ("over a tenth on the other side, %", 100 * np.mean(np.minimum(right, 1 - right) > 0.1), 17.0),
    ]
    return [{"what": what, "phantom": round(float(found), 2), "soop": real} for what, found, real in rows]
