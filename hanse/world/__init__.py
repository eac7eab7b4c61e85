"""A simulated district: shoppers, staff and the demo's data; for the demo, the simulation tests, the benchmarks."""
