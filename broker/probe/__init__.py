"""The listening process: session, pipe and client."""
