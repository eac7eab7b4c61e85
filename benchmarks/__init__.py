"""Benchmarks: ``python -m benchmarks NAME [--json] [--quick] [--full]``, one file each, against named anchors."""
