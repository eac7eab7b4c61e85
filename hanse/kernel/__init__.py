"""What every part of Hanse shares: money, quantity, time, geo, ids, chance, errors, value structs.

Imports nothing of ours and nothing impure; every function here is a pure function of its arguments.
"""
