"""Curves, BD-rates with intervals, ranking, and the report page."""
