"""A small shop as services, to show and to test against."""
