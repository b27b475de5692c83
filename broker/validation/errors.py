"""What is wrong with a schema."""

from __future__ import annotations


class SchemaError(Exception):
    """A schema of parameters that cannot be used.

    Attributes:
        message: What was found and what was expected.
        path: The field it is about, such as ``user.address.zip`` or ``tags[]``; empty for the schema itself.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path

    def at(self, path: str) -> SchemaError:
        """The same, told where; what already knows keeps it."""
        return self if self.path or not path else SchemaError(self.message, path)
