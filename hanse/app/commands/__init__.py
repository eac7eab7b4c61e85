"""The commands of ``hanse``, one file a subject; `hanse.app.cli` puts them together."""
