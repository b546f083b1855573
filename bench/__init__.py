"""Benchmarks: ratios from one run, with the floors they must hold."""
