"""Make a SliceSet from ISLES 2022; --help says how to get the data."""

import sys

from strokegan_lib.scans.command import main
from strokegan_lib.scans.isles2022 import SOURCE

if __name__ == "__main__":
    sys.exit(main(SOURCE))
