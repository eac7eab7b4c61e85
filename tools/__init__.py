"""Tools for those who work on Hanse; not part of the installed package."""
