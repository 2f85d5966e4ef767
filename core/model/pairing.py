"""Pairing: how the first owner proves to be the person at the terminal. The rules, pure."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CODE_BYTES = 24
"""192 bits, 32 URL-safe characters; a deep link carries at most 64."""
CODE_LIFETIME = timedelta(minutes=10)
TRIES_PER_PERSON = 5
"""Within one lifetime of a code, whichever codes were tried."""
TRIES_IN_ALL = 20
"""Per code, by whomever."""


class PairingResult(StrEnum):
    """What became of a try. Only `PAIRED` is ever told to the person who tried."""

    PAIRED = "paired"
    OWNED = "owned"
    """There is an owner already; nobody can be paired."""
    WRONG = "wrong"
    """Wrong, used or expired code."""
    LOCKED = "locked"
    """This person has used up their tries."""
    EXHAUSTED = "exhausted"
    """The code has used up its tries; a new one is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOffer:
    """The one code that pairs, known by its hash only."""

    code_hash: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingTry:
    """Somebody showed a code."""

    code_hash: str
    user_id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriesSoFar:
    """Failed tries before this one."""

    by_person: int
    """Within the last `CODE_LIFETIME`."""
    in_all: int
    """Since the present code was made."""


def hash_of(code: str) -> str:
    """What is stored of a code: SHA-256 in hexadecimal digits."""
    return hashlib.sha256(code.encode()).hexdigest()


def judge_try(offer: PairingOffer | None, tried: PairingTry, before: TriesSoFar) -> PairingResult:
    """The verdict on a try while there is no owner; a right code cannot save a spent person."""
    if offer is None:
        return PairingResult.WRONG
    if before.by_person >= TRIES_PER_PERSON:
        return PairingResult.LOCKED
    if before.in_all >= TRIES_IN_ALL:
        return PairingResult.EXHAUSTED
    in_time = offer.created_at <= tried.at < offer.expires_at
    if in_time and hmac.compare_digest(offer.code_hash, tried.code_hash):
        return PairingResult.PAIRED
    last = before.in_all + 1 == TRIES_IN_ALL
    return PairingResult.EXHAUSTED if last else PairingResult.WRONG
