"""Reporters: one file each."""
