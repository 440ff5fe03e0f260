"""Many runs at once: training sweeps, where their jobs run, and evaluation."""
