"""Networks: they know no disk, no device and no loss."""
