"""Captures on disk: MCAP segments written, read and repaired; masking."""
