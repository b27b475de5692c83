"""The helper: a service with which an operator reads and sets the circuit breakers of a Python node."""
