"""Subjects of SOOP's pinned commit whose files have been seen, and the sum of those files.

An archive that is packed anew for every download has no stable sum of its own; its
contents have. These are 937 of the 1,449 subjects; the others are guarded by the zip
archive's own sums and by the agreement of picture and mask.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from strokegan_lib.errors import BadInput

DIGEST = "b882cfefbcc33cddc88f9f2c0eb79aa40328fb8dfa20eb3cf18598e054636de7"
FILES = ("PNG/rsub-{}_lesion.nii.png", "NIfTI/bwsrsub-{}_lesion.nii.gz")
SEEN = int(  # bit n is set if the files of subject n have been seen
    "2c27515aa307198a46c07516c92a2ecc6fa5e407276c13d3ff41cdef5780f89defc8e23b4eb1bef867ebabf8c99f74e0891c"
    "05d03df45f71fcac1fb9c37fdb1648c2f7ae9ee7c91749f67923f12c14a5dbf96637386b2cbdb3a37da694bfcc895e6fbcea"
    "aa4efe05bbf59637336f3977bcf53cd675358eb8f330109630071ec4a017d73a2b003f5fa25a1c5cde2e8b8cb3182f528a1b"
    "58ceab616257155795de24676636315bc6bfd7243edd0e94b515d3104f7de6aa15e5fdfec6f00426cb1d72dcba09f7e7f7f5"
    "f8e9be7962a9a8b22f5cd3aeec65f92ca0e",
    16,
)
SUBJECTS = [n for n in range(SEEN.bit_length()) if SEEN >> n & 1]


def digest(folder: Path, subjects: list[int]) -> str:
    """sha256 of the sha256 of every subject's picture and mask, in this order.

    Raises:
        FileNotFoundError: a file is missing.
    """
    total = hashlib.sha256()
    for subject in subjects:
        for name in FILES:
            total.update(hashlib.sha256((folder / name.format(subject)).read_bytes()).digest())
    return total.hexdigest()


def check(folder: Path) -> None:
    """Compare a downloaded folder with what the pinned commit holds.

    Raises:
        BadInput: a file is missing or changed.
    """
    try:
        same = digest(folder, SUBJECTS) == DIGEST
    except OSError:
        same = False
    if not same:
        raise BadInput(folder, "does not hold the files of the pinned commit", "download it again")
