"""Slices with stroke for patients who have none."""
