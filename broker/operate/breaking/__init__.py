"""What an operator does to breakers: a wish becomes a plan, a plan signed calls, their answers one report."""
