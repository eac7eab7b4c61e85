"""Consent: given, withdrawn, shown.

Question: What has this person allowed?
Engine: none
Method: default deny; a purpose on all topics or on one; a topic can be muted. The check itself stands in
    the district, because every context needs it
Reads: people.consent_given, people.consent_withdrawn
Records: people.consent_given, people.consent_withdrawn
Limits: 200 consents a person
Not for: asking whether something is allowed (`district.allowed`)
"""
