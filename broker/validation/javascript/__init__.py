"""What JavaScript does with values, where the verdict of a schema hangs on it."""
