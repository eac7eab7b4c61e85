"""The rules of `tools/tidy.py`, one file per theme; `tools/tidy.py` names them and says why they are there."""
