"""How a company's support does: figures of each day, added up once and read in one go (docs/reports.md)."""
