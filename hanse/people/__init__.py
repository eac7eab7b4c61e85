"""People: members, what is sealed about them, and what they allow.

`members` (who belongs, under a pseudonym) · `vault` (names, addresses, numbers, sealed with a key a person) ·
`consent` (which use of their data a person allows).
"""
