"""Compare phantom FLAIR slices with real ones: grey levels, detail, and a contact sheet."""

from __future__ import annotations

import sys

from experiments.phantom_likeness import door

if __name__ == "__main__":
    sys.exit(door())
