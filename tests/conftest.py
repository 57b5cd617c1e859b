"""What holds for all tests: in CI the examples of property tests are the same few each time, elsewhere new ones.

No test is timed: how fast something is stands in benchmarks, and a busy machine is no fault of the code.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take longest, so that none of them is waited for at the end."""

    def allowed_s(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker else 0.0

    items.sort(key=allowed_s, reverse=True)
