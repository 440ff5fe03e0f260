"""Many runs: jobs, where they run, and their evaluation."""
