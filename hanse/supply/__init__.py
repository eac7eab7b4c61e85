"""Supply: what is on the shelf, for whom it is held, and (later) what to order."""
