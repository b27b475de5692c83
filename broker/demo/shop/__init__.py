"""The services of the shop, one file each."""
