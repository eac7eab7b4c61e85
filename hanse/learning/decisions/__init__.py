"""The decision log, asked.

Question: What did a brain choose, for which reasons, and what came of it under each policy?
Engine: none
Method: every choice is one event with what was seen, what was chosen and how likely that was; every outcome is
    another that names the choice; averages are plain means
Reads: learning.decision_made, learning.outcome_observed
Records: none; a brain records by `district.decided` and `district.outcome`
Limits: the latest 10,000 decisions in memory, older ones in the journal; a question takes about 2 ms
Not for: saying which policy is better (a mean knows nothing of chance, nor of who was chosen for which policy)
"""
