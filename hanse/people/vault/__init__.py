"""What is personal, sealed with a key of the person's own.

Question: What are this person's name, addresses and numbers (for those who may know)?
Engine: none
Method: AES-256-GCM under a random key a person, which is wrapped by the master key of the installation;
    erasing a person destroys that key, and with it every copy of what it sealed, backups included
Reads: nothing of the journal
Records: nothing in the journal; callers record pseudonymous ids only
Limits: 16 kB a record; about 0.1 ms to open one
Not for: anything that decisions are made on in the writer
"""

from hanse.people.vault.sealing import Sealer
from hanse.people.vault.store import Address, Identity, Vault

__all__ = ["Address", "Identity", "Sealer", "Vault"]
