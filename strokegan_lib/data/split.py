"""Training, validation and test patients: decided by the patient's name alone.

A split by slice leaks: neighbouring planes of one brain would be on both sides. A split by the order
of files changes when a file is added. A hash of the name does neither. Taught in notebook 01.
"""

from __future__ import annotations

import hashlib

SPLITS = ("train", "validation", "test")
FOLDS = 5  # of a cross-validation
SHARES = (0.70, 0.10, 0.20)  # in the order of SPLITS


def position(patient: str) -> float:
    """Where the patient falls in [0, 1): the same on every machine, for ever."""
    digest = hashlib.sha256(patient.encode("utf-8")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48  # 48 bits are exact in a float


def split_of(patient: str) -> str:
    """``'train'``, ``'validation'`` or ``'test'`` (70, 10 and 20 % of patients)."""
    u = position(patient)
    return SPLITS[(u >= SHARES[0]) + (u >= SHARES[0] + SHARES[1])]


def fold_of(patient: str) -> int:
    """Fold of the patient for cross-validation, 0 .. FOLDS-1."""
    return int(position(patient) * FOLDS)


def part_of(patient: str, fold: int) -> str:
    """``'train'``, ``'validation'`` or ``'test'`` when *fold* is the one held out for testing.

    Every patient is a test patient in exactly one fold. Of each other fold the first eighth
    validates, so that the shares are those of the plain split.

    Raises:
        ValueError: no such fold.
    """
    if not 0 <= fold < FOLDS:
        raise ValueError(f"there is no fold {fold} among {FOLDS}")
    own = fold_of(patient)
    if own == fold:
        return "test"
    return "validation" if position(patient) * FOLDS - own < 1 / 8 else "train"
