"""The one tree of errors.

::

    HanseError
    ├── InvalidInput    the request can never succeed as it is     → 400/422, exit code 2
    ├── NotFound        the named thing does not exist             → 404,     exit code 3
    ├── Conflict        it exists, but its state forbids this now  → 409,     exit code 4
    ├── NotAllowed      this caller may not                        → 403,     exit code 5
    ├── LimitExceeded   a stated bound was reached; try later      → 429,     exit code 6
    └── Unavailable     something it needs is not there now        → 503,     exit code 7

Each carries a stable `code` (``supply.unknown_item``), a sentence that says what to do, and typed
`details`. Only the app turns them into HTTP statuses and exit codes. A refusal for a business reason
(sold out, funds too low) is a result, not an error.
"""

from typing import ClassVar


class HanseError(Exception):
    """Something that the caller can understand and act on.

    Parameters
    ----------
    code
        Stable, machine-readable: ``context.what``.
    message
        One sentence for people; says what to do.
    details
        Values that make it precise (a field's name, a limit, an id), JSON-ready.
    """

    kind: ClassVar[str] = "HanseError"

    def __init__(self, code: str, message: str, **details: str | int | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def __init_subclass__(cls) -> None:
        # The six branches name the kind; what is narrower (`JournalUnavailable`) answers as its branch.
        if HanseError in cls.__bases__:
            cls.kind = cls.__name__


class InvalidInput(HanseError):
    """The request can never succeed as it is; `details["field"]` names the field."""


class NotFound(HanseError):
    """The named thing does not exist."""


class Conflict(HanseError):
    """The thing exists, but its present state forbids this."""


class NotAllowed(HanseError):
    """This caller may not do this."""


class LimitExceeded(HanseError):
    """A stated bound was reached; `details["retry_after_s"]` says when to come back."""


class Unavailable(HanseError):
    """Something that is needed is not there now; nothing was changed."""


def must(condition: object, code: str, message: str, **details: str | int | None) -> None:
    """Raise `InvalidInput` unless the condition holds."""
    if not condition:
        raise InvalidInput(code, message, **details)
