"""Business hours: when a company's people are there for its customers."""
