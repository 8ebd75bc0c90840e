"""The first thing that runs in every child: become the right account, tie our life to the parent's, then exec the real program.

This is a program of its own and not a `preexec_fn`, because a `preexec_fn` runs Python between fork and exec of a process with threads, where any
lock may be held for ever; and because the kernel forgets PR_SET_PDEATHSIG when the user changes, so the order below matters.

Usage: python -I -S _launch.py PARENT_PID DEATH_SIGNAL UID GID LC_CTYPE PROGRAM [ARGUMENT …]   (UID -1: stay who you are)
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_COULD_NOT_START = 126


def main() -> None:
    """Turn into the program named on the command line, or say on stderr why not and leave with 126."""
    parent, death_signal, uid, gid = (int(word) for word in sys.argv[1:5])
    lc_ctype, argv = sys.argv[5], sys.argv[6:]
    if lc_ctype:
        os.environ["LC_CTYPE"] = lc_ctype
    else:
        os.environ.pop(
            "LC_CTYPE", None
        )  # Python sets it for itself in the C locale (PEP 538): not the program's business
    # A shell's background job ignores SIGINT and Python itself ignores SIGPIPE; exec would hand both on.
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    try:
        if uid >= 0:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        if libc is not None and libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            sys.stderr.write(f"could not start {argv[0]}: prctl: {os.strerror(ctypes.get_errno())}\n")
            sys.exit(_COULD_NOT_START)
        if os.getppid() != parent:  # the parent died before we were tied to it: nobody would ever stop us
            sys.exit(_COULD_NOT_START)
        os.execvp(argv[0], argv)  # noqa: S606 - there is no shell, by intent
    except OSError as error:
        sys.stderr.write(f"could not start {argv[0]}: {error}\n")
        sys.exit(_COULD_NOT_START)


if __name__ == "__main__":
    main()
