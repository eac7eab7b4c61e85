"""The pages that people see, seat by seat.

``shopping`` → ``buying`` → ``following`` → ``account`` are the shopper's; ``counter``, ``stock`` and ``takings``
the shop's; ``league`` and ``stories`` the league's. Each handler takes a `Visit` and answers with one. The
application registers `ROUTES`, and says `FAILURES` where it has no route.
"""

from hanse.app.pages.routes import FAILURES, ROUTES

__all__ = ["FAILURES", "ROUTES"]
