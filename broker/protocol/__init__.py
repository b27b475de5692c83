"""The Moleculer protocol, versions 4 and 5, without any input or output."""
