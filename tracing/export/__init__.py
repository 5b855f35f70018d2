"""The way out of the desk for traces: rows in portions, and one module for each format."""
