"""First-order optimizers, one file each."""
