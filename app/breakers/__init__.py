"""What the view of breakers is made of."""
