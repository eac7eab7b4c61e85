"""The app: the only place where everything meets.

`settings.py` (what an operator sets) → `house.py` (a running district with all its parts) → `http/` and
`pages/` (how people and programs reach it) and `cli.py`.
"""
