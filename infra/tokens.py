"""Unguessable tokens from the operating system."""

import secrets


class SystemTokens:
    """Satisfies `core.ids.TokenSource`."""

    def token(self, size_bytes: int) -> str:
        """A URL-safe random token of `size_bytes` of entropy."""
        return secrets.token_urlsafe(size_bytes)
