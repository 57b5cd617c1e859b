"""What holds for all tests: in CI the examples of property tests are the same each time, elsewhere new ones.

No test is timed: how fast something is stands in benchmarks, and a busy machine is no fault of the code.
"""

import os

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
