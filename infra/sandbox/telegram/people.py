"""The people who live in the sandbox chat."""

from dataclasses import dataclass

from infra.sandbox.telegram.wire import Chat, User


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxUser:
    """One person; `name` is the word the control interface uses for them."""

    name: str
    user_id: int
    first_name: str

    @property
    def user(self) -> User:
        """The person as the Bot API shows them."""
        return User(
            id=self.user_id,
            is_bot=False,
            first_name=self.first_name,
            username=f"sandbox_{self.name}",
            language_code="en",
        )

    @property
    def chat(self) -> Chat:
        """Their private chat with the bot."""
        return Chat(
            id=self.user_id,
            type="private",
            first_name=self.first_name,
            username=f"sandbox_{self.name}",
        )


SANDBOX_USERS = (
    SandboxUser(name="owner", user_id=1001, first_name="Olivia"),
    SandboxUser(name="trader", user_id=1002, first_name="Theo"),
    SandboxUser(name="viewer", user_id=1003, first_name="Vera"),
    SandboxUser(name="stranger", user_id=1004, first_name="Sam"),
)
"""Owner, trader, viewer and stranger; only the owner is paired from the start."""
