"""The Meshscope application: command line and window over `broker`."""

__version__ = "0.1.0"
