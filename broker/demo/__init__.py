"""A small shop as services on a bus of its own, with faults, to show and to test against."""

from broker.demo.demo import Demo, DemoError

__all__ = ["Demo", "DemoError"]
