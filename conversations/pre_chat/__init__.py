"""The form before the first message: what a company asks, and what its customers told."""
