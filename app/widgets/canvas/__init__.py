"""A canvas for graphs: cards, wires between them, labels, dots. A painted picture, not a scene of items."""
