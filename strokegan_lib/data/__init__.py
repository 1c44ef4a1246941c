"""From real volumes, or from anatomy, to one form on disk and to batches on a device."""
