"""What an operator sets: each setting is one field here, with its type, its default and its explanation."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hanse.app.configuration import Configuration, Secret, gather
from hanse.app.telemetry.logs import LogForm
from hanse.district.core import Charter
from hanse.kernel.money import AMOUNT_MAX_MINOR

__all__ = ["Settings", "configure", "from_environment"]


class Settings(msgspec.Struct, frozen=True):
    """The whole configuration of one district's process."""

    folder: Path = Path("data")
    """Folder of journal, vault and snapshots; made if it is not there."""
    journal: Secret = ""
    """PostgreSQL database that holds the journal, `postgresql://user@host:port/database`; empty: a SQLite file in the
    folder. Several districts may share one, each by its tag. A password may also stand in `~/.pgpass`."""
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
    followers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Processes beside the writer that answer reads and pages; one for each further core is a good number."""
    slow_ms: Annotated[int, msgspec.Meta(ge=1)] = 50
    """Milliseconds from which a command, a step, a deadline or a commit is logged and counted as slow."""
    log: LogForm = "auto"
    """Form of the log on standard error: json, text, or auto: text on a terminal, JSON elsewhere."""
    metrics: Literal["off", "loopback", "token"] = "off"
    """Who may read /metrics: nobody; this machine, past any proxy; or whoever has `metrics_token`."""
    metrics_token: Secret = ""
    """What a reader of /metrics sends as bearer token, where `metrics` is token."""
    disk_reserve_mb: Annotated[int, msgspec.Meta(ge=0)] = 256
    """Megabytes that have to be free where the data lies; with less the district says that it is not ready."""

    neighbours: str = ""
    """Other districts of the league whose shops can be ordered from, and theirs from here: `b=https://b.example#KEY`,
    with commas between them; each one's key is what `hanse league key` tells there."""
    neighbour_limit_minor: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_MINOR)] = 1_000_00
    """How much this district may owe a neighbour, or a neighbour it, in minor units, before nothing more is ordered."""

    def charter(self) -> Charter:
        """The part that the district itself declares."""
        return Charter(self.name, self.tag, self.zone, self.currency, self.country, self.delivery_vat_bp)

    def environment(self) -> dict[str, str]:
        """The variables that give another process these settings; what is secret among them is in no argument list."""
        plain = (str, int, bool, float, Path)
        return {
            f"HANSE_{name.upper()}": str(value) if isinstance(value, plain) else msgspec.json.encode(value).decode()
            for name, value in msgspec.structs.asdict(self).items()
        }


def configure(environment: Mapping[str, str] = os.environ, **chosen: object) -> Configuration[Settings]:
    """The settings and where each was said; see `hanse.app.configuration.gather`."""
    return gather(Settings, environment, chosen)


def from_environment(environment: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Settings as file and environment say them, overridden by what was `chosen` (None: not chosen).

    Raises
    ------
    InvalidInput
        What was said is no setting, or has a value that does not fit.
    """
    return configure(environment, **chosen).settings
