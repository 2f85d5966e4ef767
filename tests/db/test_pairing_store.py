"""One code, few tries, one owner."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.pairing import (
    CODE_LIFETIME,
    TRIES_IN_ALL,
    TRIES_PER_PERSON,
    PairingOffer,
    PairingResult,
    PairingTry,
    TriesSoFar,
    hash_of,
    judge_try,
)
from core.model.people import Role
from db.connection import Journal
from tests.support.clock import START, ManualClock

CODE = "right-code-0123456789"


def offer_of(code: str = CODE, at: datetime = START) -> PairingOffer:
    return PairingOffer(code_hash=hash_of(code), created_at=at, expires_at=at + CODE_LIFETIME)


def try_of(
    code: str = CODE, user_id: int = 7, at: datetime = START, name: str = "Pat"
) -> PairingTry:
    return PairingTry(code_hash=hash_of(code), user_id=user_id, name=name, at=at)


async def test_right_code_makes_a_subscribed_owner_and_is_spent(journal: Journal) -> None:
    assert await journal.pairing.offer(offer_of())
    assert await journal.pairing.claim(try_of()) is PairingResult.PAIRED
    owner = await journal.users.get(7)
    assert owner is not None
    assert (owner.role, owner.name, owner.subscribed) == (Role.OWNER, "Pat", True)
    assert await journal.pairing.claim(try_of(user_id=8)) is PairingResult.OWNED
    assert not await journal.pairing.offer(offer_of("another"))
    assert [entry.kind for entry in await journal.audit.recent(1)] == ["user.paired"]


async def test_listed_viewer_can_become_the_owner_of_a_desk_without_one(journal: Journal) -> None:
    await journal.users.save(7, Role.VIEWER, "Vic", START)
    await journal.pairing.offer(offer_of())
    assert await journal.pairing.claim(try_of()) is PairingResult.PAIRED
    owner = await journal.users.get(7)
    assert owner is not None
    assert (owner.role, owner.subscribed) == (Role.OWNER, True)


async def test_of_many_at_once_exactly_one_becomes_owner(journal: Journal) -> None:
    await journal.pairing.offer(offer_of())
    results = await asyncio.gather(
        *(journal.pairing.claim(try_of(user_id=number)) for number in range(1, 13))
    )
    assert sorted(results) == [PairingResult.OWNED] * 11 + [PairingResult.PAIRED]
    assert len(await journal.users.all()) == 1


async def test_only_the_hash_of_a_code_reaches_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    async with Journal.open(path, "paper", ManualClock()) as journal:
        await journal.pairing.offer(offer_of())
        await journal.pairing.claim(try_of("wrong-code-987654321"))
        written = await asyncio.to_thread(content_of, tmp_path)
    assert hash_of(CODE).encode() in written
    assert CODE.encode() not in written
    assert b"wrong-code" not in written


def content_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_only_the_newest_code_pairs(journal: Journal) -> None:
    await journal.pairing.offer(offer_of("first-code"))
    await journal.pairing.offer(offer_of("second-code"))
    assert await journal.pairing.claim(try_of("first-code")) is PairingResult.WRONG
    assert await journal.pairing.claim(try_of("second-code")) is PairingResult.PAIRED


@pytest.mark.parametrize("at", [START + CODE_LIFETIME, START - timedelta(seconds=1)])
async def test_code_out_of_its_time_is_wrong(journal: Journal, at: datetime) -> None:
    await journal.pairing.offer(offer_of())
    assert await journal.pairing.claim(try_of(at=at)) is PairingResult.WRONG
    last = START + CODE_LIFETIME - timedelta(microseconds=1)
    assert await journal.pairing.claim(try_of(at=last)) is PairingResult.PAIRED


async def test_without_an_offer_no_code_is_right(journal: Journal) -> None:
    assert await journal.pairing.claim(try_of()) is PairingResult.WRONG


async def test_sixth_try_of_a_person_fails_even_with_the_right_code(journal: Journal) -> None:
    await journal.pairing.offer(offer_of())
    for number in range(TRIES_PER_PERSON):
        assert await journal.pairing.claim(try_of(f"guess-{number}")) is PairingResult.WRONG
    assert await journal.pairing.claim(try_of()) is PairingResult.LOCKED

    # A new code does not help them before their tries have aged; others are not affected.
    soon = START + timedelta(minutes=1)
    await journal.pairing.offer(offer_of(at=soon))
    assert await journal.pairing.claim(try_of(at=soon)) is PairingResult.LOCKED
    later = START + CODE_LIFETIME
    await journal.pairing.offer(offer_of(at=later))
    assert await journal.pairing.claim(try_of(at=later)) is PairingResult.PAIRED


async def test_twentieth_wrong_try_of_all_spends_the_code(journal: Journal) -> None:
    await journal.pairing.offer(offer_of())
    results = [
        await journal.pairing.claim(try_of("guess", user_id=number // 4))
        for number in range(TRIES_IN_ALL)
    ]
    assert results == [PairingResult.WRONG] * 19 + [PairingResult.EXHAUSTED]
    assert await journal.pairing.claim(try_of(user_id=99)) is PairingResult.EXHAUSTED

    later = START + timedelta(seconds=1)
    await journal.pairing.offer(offer_of("fresh-code", at=later))
    fresh = try_of("fresh-code", user_id=99, at=later)
    assert await journal.pairing.claim(fresh) is PairingResult.PAIRED


@given(
    code=st.sampled_from([CODE, "other"]),
    seconds=st.floats(-900, 900),
    by_person=st.integers(0, 8),
    in_all=st.integers(0, 25),
    offered=st.booleans(),
)
def test_nothing_but_the_right_code_in_time_within_the_limits_pairs(
    *, code: str, seconds: float, by_person: int, in_all: int, offered: bool
) -> None:
    offer = offer_of() if offered else None
    tried = try_of(code, at=START + timedelta(seconds=seconds))
    result = judge_try(offer, tried, TriesSoFar(by_person=by_person, in_all=in_all))
    good = offered and code == CODE and 0 <= (tried.at - START).total_seconds() < 600
    within = by_person < TRIES_PER_PERSON and in_all < TRIES_IN_ALL
    assert (result is PairingResult.PAIRED) == (good and within)
