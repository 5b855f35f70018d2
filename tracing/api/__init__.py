"""Traces for other software."""
