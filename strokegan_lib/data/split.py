"""Training, validation and test patients: decided by the patient's name alone.

A split by slice leaks: neighbouring planes of one brain would be on both sides. A split by the order
of files changes when a file is added. A hash of the name does neither. Taught in notebook 01.
"""

import hashlib

SPLITS = ("train", "validation", "test")
SHARES = (0.70, 0.10, 0.20)  # of the patients, in the order of SPLITS
FOLDS = 5  # of a cross-validation


def position(patient: str) -> float:
    """Where the patient falls in [0, 1): the same on every machine, for ever."""
    digest = hashlib.sha256(patient.encode("utf-8")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48  # 48 bits are exact in a float


def fold_of(patient: str) -> int:
    """Fold of the patient for cross-validation, 0 .. FOLDS-1."""
    return int(position(patient) * FOLDS)


def split_of(patient: str, fold: int | None = None) -> str:
    """``'train'``, ``'validation'`` or ``'test'``, with about SHARES of the patients.

    Args:
        fold: the one that is held out for testing, 0 .. FOLDS-1, so that every patient is a test patient in
            exactly one; of each other fold the first eighth validates. None for the plain split. ValueError where
            there is no such fold.
    """
    u = position(patient)
    if fold is None:
        return SPLITS[(u >= SHARES[0]) + (u >= SHARES[0] + SHARES[1])]
    if not 0 <= fold < FOLDS:
        raise ValueError(f"there is no fold {fold} among {FOLDS}")
    own, within = divmod(u * FOLDS, 1)
    if own == fold:
        return "test"
    return "validation" if within < 1 / 8 else "train"
