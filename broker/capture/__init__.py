"""Captures: MCAP segments written, read, repaired; values under secret names masked before the disk."""
