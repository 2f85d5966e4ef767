"""The pairing code on offer, the tries that failed, and the one moment somebody becomes owner."""

from core.model.pairing import (
    CODE_LIFETIME,
    PairingOffer,
    PairingResult,
    PairingTry,
    TriesSoFar,
    judge_try,
)
from core.model.people import Role
from core.ports.journal import AuditEntry
from db.columns import micros, moment_of
from db.database import Database, Reader, Transaction
from db.journal_repo import append_audit

FAILED = (PairingResult.WRONG, PairingResult.EXHAUSTED)


class PairingRepository:
    """Satisfies `core.ports.journal.PairingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def offer(self, offer: PairingOffer) -> bool:
        """Make this the only code that pairs; False (nothing written) when there is an owner."""
        async with self._database.transaction() as transaction:
            if await _is_owned(transaction):
                return False
            await transaction.execute(
                "INSERT OR REPLACE INTO pairing_offer VALUES (1, ?, ?, ?)",
                (offer.code_hash, micros(offer.created_at), micros(offer.expires_at)),
            )
            # Tries too old to count against anybody are not kept.
            await transaction.execute(
                "DELETE FROM pairing_tries WHERE at <= ?",
                (micros(offer.created_at - CODE_LIFETIME),),
            )
            entry = AuditEntry(
                at=offer.created_at, kind="pairing.offered", subject="pairing", detail=""
            )
            await append_audit(transaction, entry)
        return True

    async def claim(self, tried: PairingTry) -> PairingResult:
        """Judge a try and, when it pairs, list the person as owner: one transaction, one winner."""
        async with self._database.transaction() as transaction:
            if await _is_owned(transaction):
                return PairingResult.OWNED
            offer = await _offer(transaction)
            result = judge_try(offer, tried, await _tries(transaction, offer, tried))
            if result is PairingResult.PAIRED:
                await _make_owner(transaction, tried)
            elif result in FAILED and offer is not None:
                await transaction.execute(
                    "INSERT INTO pairing_tries (against, user_id, at) VALUES (?, ?, ?)",
                    (offer.code_hash, tried.user_id, micros(tried.at)),
                )
        return result


async def _is_owned(reader: Reader) -> bool:
    found = await reader.fetch_one(
        "SELECT 1 FROM users WHERE role = ? LIMIT 1", (Role.OWNER.value,)
    )
    return found is not None


async def _offer(reader: Reader) -> PairingOffer | None:
    row = await reader.fetch_one("SELECT * FROM pairing_offer")
    if row is None:
        return None
    return PairingOffer(
        code_hash=row["code_hash"],
        created_at=moment_of(row["created_at"]),
        expires_at=moment_of(row["expires_at"]),
    )


async def _tries(reader: Reader, offer: PairingOffer | None, tried: PairingTry) -> TriesSoFar:
    row = await reader.fetch_one(
        """
        SELECT count(*) FILTER (WHERE user_id = ? AND at > ?) AS by_person,
               count(*) FILTER (WHERE against = ?) AS in_all
        FROM pairing_tries
        """,
        (tried.user_id, micros(tried.at - CODE_LIFETIME), offer.code_hash if offer else None),
    )
    if row is None:
        return TriesSoFar(by_person=0, in_all=0)
    return TriesSoFar(by_person=row["by_person"], in_all=row["in_all"])


async def _make_owner(transaction: Transaction, tried: PairingTry) -> None:
    await transaction.execute(
        """
        INSERT INTO users (user_id, role, name, subscribed, added_at) VALUES (?, ?, ?, 1, ?)
        ON CONFLICT (user_id) DO UPDATE
        SET role = excluded.role, name = excluded.name, subscribed = 1
        """,
        (tried.user_id, Role.OWNER.value, tried.name, micros(tried.at)),
    )
    await transaction.execute("DELETE FROM pairing_offer")
    await transaction.execute("DELETE FROM pairing_tries")
    entry = AuditEntry(
        at=tried.at,
        kind="user.paired",
        subject=f"user:{tried.user_id}",
        detail=Role.OWNER.value,
        user_id=tried.user_id,
    )
    await append_audit(transaction, entry)
