"""Keeps secrets out of everything that is written down."""

import json
import re
from collections.abc import Iterable, Mapping

HIDDEN = "[hidden]"
SHORTEST_SECRET = 4
"""Shorter registered secrets are not searched for: they would blank ordinary words."""

SECRET_NAME = (
    r"(?:[\w-]{0,40}(?:token|secret|passw(?:or)?d|passphrase|signature|authorization|credentials?)"
    r"|[\w-]{0,40}(?:api|secret|private|access|listen)[_-]?key|key)"
)
LONGER_NAME = rf"(?<![\w-])(?!key\b){SECRET_NAME}"
"""A bare `key` is too common a word in running text."""
SECRET_FIELD = re.compile(SECRET_NAME, re.IGNORECASE)

PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bbot\d+(?::|%3A)[^/\s\"'?]+", f"bot{HIDDEN}"),
        (r"\d{6,}(?::|%3A)[\w-]{30,}", HIDDEN),
        (r"(?<![a-z0-9])sk-[\w-]{8,}", HIDDEN),
        (r"\b(bearer\s+)[\w.~+/=-]{8,}", rf"\1{HIDDEN}"),
        (r"(://[^/\s:@\"']{1,80}:)[^/\s@\"']+@", rf"\1{HIDDEN}@"),
        (rf"([?&]{SECRET_NAME}=)[^&\s\"'#]+", rf"\1{HIDDEN}"),
        # Quoted values, also where the quotes are escaped.
        (
            rf"({LONGER_NAME}\\?[\"']?\s*[=:]\s*)(\\?[\"'])(?:(?!\2)(?:\\.|[^\\]))+\2",
            rf"\1\2{HIDDEN}\2",
        ),
        (rf"({LONGER_NAME}\s?[=:]\s?)[^\s&\"',;\[\](){{}}]+", rf"\1{HIDDEN}"),
    )
)


class Redactor:
    """Hides secrets in text: by shape, by the name before them, and exact registered values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {
            spelling
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
            for spelling in _spellings(secret)
        }
        longest_first = sorted(spellings, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, longest_first))) if spellings else None

    def hide(self, text: str) -> str:
        """`text` without secrets."""
        if self._exact is not None:
            text = self._exact.sub(HIDDEN, text)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def hide_field(self, name: str, value: object) -> object:
        """A field's value as plain data without secrets, whatever it is made of."""
        if is_secret_field(name):
            return HIDDEN
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {
                self.hide(str(inner)): self.hide_field(str(inner), content)
                for inner, content in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.hide_field("", item) for item in value]
        kind = f"{type(value).__name__}: " if isinstance(value, BaseException) else ""
        return self.hide(f"{kind}{value}")


def _spellings(secret: str) -> tuple[str, ...]:
    """The forms a secret takes in plain text, in JSON and in a repr."""
    escaped = (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret))
    return (secret, *(form[1:-1] for form in escaped))


def is_secret_field(name: str) -> bool:
    """Whether a log field called `name` holds a secret (`api_key`, `BOT_TOKEN`, not `tokens`)."""
    return SECRET_FIELD.fullmatch(name) is not None
