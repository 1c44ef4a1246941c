"""Training: one loop, two GANs, checkpoints that can be trusted."""
