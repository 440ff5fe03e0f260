"""The training loop, its checkpoints and run directories, optimizers, precision."""
