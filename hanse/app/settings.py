"""What an operator sets: by environment (`HANSE_…`) or by command-line option, nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from hanse.district.core import Charter
from hanse.kernel.errors import InvalidInput

__all__ = ["Settings", "from_environment"]


_OTHERS = frozenset(("HANSE_DATA", "HANSE_COMPILED"))
"""No settings: where tests find real data; where compiled twins lie (see `hanse.compiled`)."""


class Settings(msgspec.Struct, frozen=True):
    """The whole configuration of one district's process."""

    folder: Path = Path("data")
    """Folder of journal, vault and snapshots; made if it is not there."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all."""
    port: int = 8000
    """TCP port to listen on; 0 takes a free one."""
    name: str = "district"
    """What the district is called on its pages."""
    tag: str = "0"
    """1 to 4 characters that end every id made here; another one for each district of a league."""
    zone: str = "Europe/Helsinki"
    """IANA time zone of the district; declared once."""
    currency: str = "EUR"
    """ISO 4217 currency of the district; declared once."""
    country: str = "FI"
    """ISO 3166 country of the district; declared once."""
    delivery_vat_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 2_550
    """VAT on delivery fees in basis points (2550 is 25.5 %, Finland's standard rate in 2026)."""
    demo: bool = False
    """Whether anybody may take any seat, as in `hanse demo`. Never with real people's data."""
    snapshot_every: int = 250_000
    """Entries after which a snapshot is written beside the running district."""

    def charter(self) -> Charter:
        """The part that the district itself declares."""
        return Charter(self.name, self.tag, self.zone, self.currency, self.country, self.delivery_vat_bp)

    def environment(self) -> dict[str, str]:
        """The variables that give another process these settings; what is secret among them is in no argument list."""
        return {f"HANSE_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(self).items()}


def from_environment(environment: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Settings from `HANSE_…` variables, overridden by what was `chosen` (None: not chosen).

    Raises
    ------
    InvalidInput
        A variable that is no setting, or has a value that does not fit.
    """
    names = {field.name for field in msgspec.structs.fields(Settings)}
    said: dict[str, object] = {
        name[6:].lower(): value
        for name, value in environment.items()
        if name.startswith("HANSE_") and name not in _OTHERS
    }
    for unknown in said.keys() - names:
        raise InvalidInput(
            "app.unknown_setting",
            f"There is no setting HANSE_{unknown.upper()}; see docs/reference/settings.md.",
            field=unknown,
        )
    said.update({name: value for name, value in chosen.items() if value is not None})
    try:
        return msgspec.convert(said, Settings, strict=False, dec_hook=lambda wanted, value: wanted(value))
    except msgspec.ValidationError as error:
        raise InvalidInput("app.bad_setting", f"A setting does not fit: {error}.") from error
