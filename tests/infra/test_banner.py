"""The first words in the terminal, and when a browser is opened."""

import pytest

from infra.banner import has_screen


@pytest.mark.parametrize(
    ("platform", "env", "at_terminal", "expected"),
    [
        ("win32", {}, True, True),
        ("darwin", {}, True, True),
        ("linux", {"DISPLAY": ":0"}, True, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ("linux", {}, True, False),
        ("linux", {"DISPLAY": ":0"}, False, False),
        ("win32", {}, False, False),
    ],
)
def test_a_browser_is_opened_only_where_somebody_sits(
    platform: str, env: dict[str, str], at_terminal: bool, expected: bool
) -> None:
    assert has_screen(platform, env, at_terminal=at_terminal) is expected
