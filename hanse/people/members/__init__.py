"""Members under a pseudonym.

Question: Does this person belong to the league, and which addresses may be used for them?
Engine: none
Method: a set of pseudonymous ids; everything that says who it is stands in the vault
Reads: people.member_joined, people.member_erased, people.address_kept
Records: people.member_joined, people.member_erased, people.address_kept
Limits: about 0.3 kB a member in memory
Not for: names and addresses (people.vault); what a person allows (people.consent)
"""
