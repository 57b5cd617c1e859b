"""Print every figure: `make bench`, or `python -m benchmarks NAME ...` for some (ingest, api, baseline, ...)."""

import sys
from importlib import import_module

NAMES = ("ingest", "profiles", "rollups", "api", "storage", "baseline", "indicator_inputs", "indicators")

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}", flush=True)
        import_module(f"benchmarks.{name}").run()
