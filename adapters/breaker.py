"""A circuit breaker: after several failures in a row, stop waiting for a neighbour that is plainly down."""

import time
from collections.abc import Callable

from adapters.errors import Unavailable


class Breaker:
    """Opens after `failures` consecutive failures, for `seconds`; then lets callers try again.

    One failure after that opens it again at once, so a dead neighbour costs one deadline per `seconds`, not per call.
    """

    def __init__(self, *, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds and never goes backwards."""
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failed = 0
        self._closed_again_at = 0.0

    def check(self) -> None:
        """Raise `Unavailable` without touching the network while open."""
        remaining = self._closed_again_at - self._clock()
        if remaining > 0:
            raise Unavailable(f"circuit open for another {remaining:.1f} s")

    def failed(self) -> None:
        """Count a call that got no answer."""
        self._failed += 1
        if self._failed >= self._limit:
            self._closed_again_at = self._clock() + self._seconds

    def succeeded(self) -> None:
        """Forget past failures: any answer, a refusal included, shows the neighbour alive."""
        self._failed = 0
        self._closed_again_at = 0.0
