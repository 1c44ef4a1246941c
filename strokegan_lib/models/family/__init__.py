"""The family: the GANs from which painting brain slices descends, a file each, small enough to read."""
