"""The network: one file a bus."""
