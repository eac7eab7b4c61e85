"""HTTP: what the app's own routes are, how errors become problems, and the two fast ways in."""
