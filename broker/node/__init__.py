"""A Moleculer node."""
