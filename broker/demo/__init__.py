"""A small shop as services on a bus of its own, with faults, to show and to test against."""

from broker.demo.demo import Demo, DemoError
from broker.demo.run import run_demo

__all__ = ["Demo", "DemoError", "run_demo"]
