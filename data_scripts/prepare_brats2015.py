"""Make a SliceSet from BRATS 2015; --help says how to get the data."""

import sys

from strokegan_lib.scans.brats2015 import SOURCE
from strokegan_lib.scans.command import main

if __name__ == "__main__":
    sys.exit(main(SOURCE))
