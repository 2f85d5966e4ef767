"""Unguessable tokens."""

import re

from infra.tokens import SystemTokens


def test_tokens_differ_and_carry_the_entropy_asked_for() -> None:
    tokens = {SystemTokens().token(16) for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(r"[\w-]{22}", token) for token in tokens)
