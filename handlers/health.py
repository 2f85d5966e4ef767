"""/health: what works and what does not."""

from aiogram import Router
from aiogram.types import Message

from bot import texts_health
from bot.commands import command
from bot.services import Services


def create_router() -> Router:
    """Routes of the health report."""
    router = Router(name="health")
    router.message.register(on_health, command("health"))
    return router


async def on_health(message: Message, services: Services) -> None:
    """The report."""
    await message.answer(**texts_health.health(await services.health()).as_kwargs())
