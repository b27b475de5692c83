"""Packets to observations, without any input or output."""
