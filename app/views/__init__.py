"""One file a view; each registers itself; none imports another."""
