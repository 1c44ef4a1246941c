"""The default patients: brains with strokes from statistics and an atlas."""
