"""Shared pytest options."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` enables the runs that take more than a few minutes."""
    parser.addoption("--long", action="store_true", help="also run the long tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip long tests unless asked for."""
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="long run: enable with --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)
