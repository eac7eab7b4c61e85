"""The district: commands in, events out; one writer, one journal, views folded in memory.

`core.py` is the district itself: no thread, file or clock inside; `jobs.py` and `reactions.py` hold its terms.
`writer.py` owns queue, journal and keys around it; `views.py` says what a view is, `own.py` holds the
district's own; `effects.py` calls the world outside; `asking.py` is how others ask the writer;
`neighbours.py`, `messages.py` and `post.py` are how districts speak with each other.
`answers.py` and `keys.py` know what was answered to keys, `collector.py` looks for garbage between turns.
`observing.py` is how a writer is watched, `troubles.py` what waits for a person and what one can do about it.
`snapshots.py` and `opening.py` bring a district up from its folder, `following.py` keeps another process up with it.
"""
