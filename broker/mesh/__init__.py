"""The Timeline and the questions asked of it."""
