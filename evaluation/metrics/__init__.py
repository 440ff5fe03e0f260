"""Image and audio metrics."""
