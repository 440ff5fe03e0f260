"""Kernels and process settings that depend on the CPU."""
