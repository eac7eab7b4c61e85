"""Neighbours over HTTP: who they are, how what is said to them is signed, and how it gets there.

Each district has a key of its own (Ed25519). Requests and answers carry HTTP Message Signatures (RFC 9421) over the
method and path, or the status, and the Content-Digest of the body (RFC 9530). What somebody sends again has no effect,
since messages are numbered; so neither nonces nor clocks are needed.
"""

import asyncio
import re
import ssl
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hanse.district.neighbours import Batch, Receipt
from hanse.journal.durable import make_folder, write_file
from hanse.kernel.errors import InvalidInput, NotAllowed, Unavailable
from hanse.kernel.ids import IdMaker
from hanse.kernel.time import SECOND_US

if TYPE_CHECKING:
    import httpx

__all__ = ["INBOX", "Carrier", "Neighbour", "neighbours_of", "open_client", "own_key", "public_text", "sign", "verify"]

INBOX = "/api/league/inbox"
RECEIPT_BYTES_MAX = 16_384
DELIVERY_S = 20.0
"""After so long an attempt has failed, however slowly the neighbour goes on answering."""

KEY_BYTES = 32
_INPUT = re.compile(r'hanse=(\("[^)]*"\);created=\d+;keyid="([0-9a-z]{1,4})";alg="ed25519")')
_SIGNATURE = re.compile(r"hanse=:([A-Za-z0-9+/]+=*):")


class Neighbour(NamedTuple):
    """Another district: where it is reached, and the key that it signs with."""

    tag: str
    url: str
    key: Ed25519PublicKey


@lru_cache(maxsize=16)
def neighbours_of(said: str) -> dict[str, Neighbour]:
    """The neighbours of a setting such as ``b=https://b.example#KEY, c=https://c.example#KEY``.

    Raises
    ------
    InvalidInput
        Something of it does not fit, or would go over an open network in clear.
    """
    found = {}
    for one in filter(None, (part.strip() for part in said.split(","))):
        tag, equals, rest = one.partition("=")
        url, hash_sign, key = rest.partition("#")
        if not equals or not hash_sign or tag in found:
            raise InvalidInput(
                "app.bad_neighbours",
                "Name neighbours as TAG=URL#KEY, each once, with commas between; `hanse league key` tells the key.",
                field="neighbours",
            )
        IdMaker(tag)
        found[tag] = Neighbour(tag, _checked(url), _public(key))
    return found


def own_key(folder: Path) -> Ed25519PrivateKey:
    """The key that a district signs with; made once, readable by its owner only."""
    path = folder / "league.key"
    if not path.exists() or path.stat().st_size != KEY_BYTES:
        make_folder(folder)
        write_file(path, Ed25519PrivateKey.generate().private_bytes_raw(), mode=0o600)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as neighbours put it into their settings."""
    return urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()


def sign(key: Ed25519PrivateKey, tag: str, covered: Mapping[str, str], body: bytes, *, now_s: int) -> dict[str, str]:
    """The headers that show who says a body; `covered` are the derived components beside its digest."""
    digest = _digest(body)
    components = " ".join(f'"{name}"' for name in (*covered, "content-digest"))
    said = f'({components});created={now_s};keyid="{tag}";alg="ed25519"'
    signature = b64encode(key.sign(_base(covered, digest, said))).decode()
    return {"content-digest": digest, "signature-input": f"hanse={said}", "signature": f"hanse=:{signature}:"}


def verify(
    keys: Mapping[str, Neighbour], covered: Mapping[str, str], body: bytes, headers: Mapping[str, str]
) -> Neighbour:
    """Which neighbour says a body.

    Raises
    ------
    NotAllowed
        No neighbour that is declared, or the signature is not its own, or is over something else.
    """
    said = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    neighbour = keys.get(said[2]) if said else None
    components = " ".join(f'"{name}"' for name in (*covered, "content-digest"))
    digest = _digest(body)
    if (
        said is not None
        and signature is not None
        and neighbour is not None
        and said[1].startswith(f"({components});")
        and headers.get("content-digest") == digest
    ):
        try:
            neighbour.key.verify(_decoded(signature[1]), _base(covered, digest, said[1]))
        except InvalidSignature:
            pass
        else:
            return neighbour
    raise NotAllowed("app.unknown_neighbour", "Only declared neighbours may speak here, under their own signature.")


class Carrier:
    """Brings batches to neighbours over HTTP, and signed receipts back. No redirects, bounded in size and time."""

    def __init__(
        self, neighbours: Mapping[str, Neighbour], key: Ed25519PrivateKey, tag: str, *, clock: Callable[[], int]
    ) -> None:
        self._clock = clock
        self._neighbours = neighbours
        self._key = key
        self._tag = tag
        self._client = open_client(DELIVERY_S / 2)

    async def deliver(self, batch: Batch) -> Receipt:
        """Bring a batch to the neighbour that it is for.

        Raises
        ------
        Unavailable
            The neighbour did not take it, or did not say so in a way that can be believed.
        """
        neighbour = self._neighbours[batch.to]
        body = msgspec.json.encode(batch)
        covered = {"@method": "POST", "@path": INBOX}
        headers = {
            "content-type": "application/json",
            **sign(self._key, self._tag, covered, body, now_s=self._clock() // SECOND_US),
        }
        async with asyncio.timeout(DELIVERY_S):
            status, said, answered = await self._post(neighbour.url + INBOX, headers, body)
        if status != 200:
            raise Unavailable("app.neighbour_refused", f"The neighbour answered {status}: {said[:300]!r}.")
        verify({batch.to: neighbour}, {"@status": "200"}, said, answered)
        receipt = msgspec.json.decode(said, type=Receipt)
        if (receipt.sender, receipt.to) != (batch.to, batch.sender):
            raise Unavailable("app.other_receipt", "The neighbour answered with a receipt for somebody else.")
        return receipt

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            said = b""
            async for piece in answer.aiter_raw():
                said += piece
                if len(said) > RECEIPT_BYTES_MAX:
                    raise Unavailable("app.receipt_too_large", "The neighbour answered with more than any receipt is.")
            return answer.status_code, said, answer.headers

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


def open_client(timeout_s: float) -> "httpx.AsyncClient":
    """What asks neighbours: with the system's own authorities, by no proxy that an environment names, no redirects."""
    # Only who has neighbours pays for its import.
    import httpx

    return httpx.AsyncClient(
        verify=ssl.create_default_context(), trust_env=False, follow_redirects=False, timeout=timeout_s
    )


def _base(covered: Mapping[str, str], digest: str, said: str) -> bytes:
    """What is signed (RFC 9421, section 2.5)."""
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    return "\n".join([*lines, f'"content-digest": {digest}', f'"@signature-params": {said}']).encode()


def _digest(body: bytes) -> str:
    return f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        near = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        near = False
    fits = parts.scheme == "https" or (parts.scheme == "http" and near)
    if not fits or not parts.hostname or parts.path.strip("/") or parts.query:
        raise InvalidInput(
            "app.bad_neighbours",
            "Give a neighbour's address as https://host, without a path; http goes to this very machine only.",
            field="neighbours",
        )
    return url.rstrip("/")


def _public(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(text))
    except ValueError as error:
        raise InvalidInput(
            "app.bad_neighbours", "A neighbour's key is what `hanse league key` tells there.", field="neighbours"
        ) from error


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
