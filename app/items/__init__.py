"""Qt item models: adapters that hold no rows."""
