"""Speaks Moleculer: protocol, transport, tap, observation, captures. Usable alone; no Qt."""
