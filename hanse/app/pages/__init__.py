"""The pages that people see, seat by seat: `ROUTES` is what the application registers, `FAILURES` what
it says where it has no route.

``shopping`` → ``buying`` → ``following`` → ``account`` are the shopper's; ``counter``, ``range`` and ``takings``
the shop's; ``league`` and ``stories`` the league's. Each handler takes a `Visit` and answers with one.
"""

from hanse.app.pages.routes import FAILURES, ROUTES

__all__ = ["FAILURES", "ROUTES"]
