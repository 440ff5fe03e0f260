"""The report page of a comparison: one HTML file, with crops and listening examples."""
