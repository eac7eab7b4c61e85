"""The stories across contexts, one file each. `order.py` is the one to read first."""
