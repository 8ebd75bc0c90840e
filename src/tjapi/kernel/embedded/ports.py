import random
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST, _ENOUGH = 10_240, 1_000
_TRIES = 200
_RANDOM = random.SystemRandom()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that was free on `host` a moment ago, and that the system gives to no outgoing connection.

    Another process may still take it before you bind it: bind soon, and be ready to ask again.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = _before_outgoing()
    if last - _FIRST >= _ENOUGH:
        for _ in range(_TRIES):
            port = _RANDOM.randint(_FIRST, last)
            if _is_free(family, host, port):
                return port
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _before_outgoing() -> int:
    """Return the last port below those that outgoing connections are given; 0: the system does not say."""
    try:
        return int(_RANGE.read_text().split()[0]) - 1
    except (OSError, ValueError, IndexError):
        return 0


def _is_free(family: int, host: str, port: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
