"""Make a SliceSet from SOOP; --help says how to get the data."""

import sys

from strokegan_lib.scans.command import main
from strokegan_lib.scans.soop import SOURCE

if __name__ == "__main__":
    sys.exit(main(SOURCE))
