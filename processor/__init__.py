"""What is written for a kind of processor, and settings of the process."""
