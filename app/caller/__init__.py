"""The parts of the caller: what is to be sent, what came back, what was sent before."""
