"""The graph around its canvas: where things are placed, kept and exported."""
