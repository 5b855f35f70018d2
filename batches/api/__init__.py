"""Batch jobs for other software."""
