"""The Timeline: everything known, in immutable blocks of columns and in intervals, bounded in memory."""
# H4: to be written to this contract.
