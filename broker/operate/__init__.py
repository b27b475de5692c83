"""What an operator may and does."""
