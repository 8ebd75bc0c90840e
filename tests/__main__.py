"""`make test`: every test but the torture tier, two at a time, on real servers."""

import os
import sys

import pytest

if __name__ == "__main__":
    workers = os.environ.get("TJ_TEST_WORKERS", "2")
    sys.exit(pytest.main(["-n", workers, "--dist", "loadgroup", "-m", "not torture", "-q", *sys.argv[1:]]))
