"""Headers that every answer carries."""

from hanse.app.templating import CONTENT_SECURITY_POLICY

__all__ = ["SECURITY_HEADERS"]

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # The browser names our pages to ourselves only: `Origin` stays whole there, which the check of cookies needs.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
