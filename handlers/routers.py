"""All routers in the order in which they are asked."""

from aiogram import Router

from handlers import (
    analyse,
    errors,
    fallback,
    health,
    help,  # noqa: A004
    journal,
    positions,
    signals,
    start,
    stats,
)


def create_routers() -> tuple[Router, ...]:
    """Fresh routers; the fallback comes last."""
    topics = (errors, start, analyse, signals, positions, journal, stats, health, help, fallback)
    return tuple(topic.create_router() for topic in topics)
