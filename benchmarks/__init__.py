"""Measurements: each prints figures and ratios of one run, as text or as JSON."""
