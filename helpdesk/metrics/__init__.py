"""Figures for Prometheus: numbers and a few fixed words, never a tenant's id, name or text in a label."""
