"""The garbage collector of a process that serves: it leaves alone what was built at the start, and looks at the rest in larger portions.

A process of tjapi holds some hundred thousand objects for as long as it lives (routes, schemas, mappers), and a request that reads an
exam makes thousands that die with it by reference count. With CPython's defaults (a look at 700 new objects) a tenth of a busy API's
time went into looking for cycles among them.
"""

import gc

from sqlalchemy.orm import configure_mappers

_NEW = 20_000
"""New objects before the youngest are looked at."""


def settle() -> None:
    """Take everything that is there as staying. Called once, when a process is built and before it serves."""
    configure_mappers()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, 10, 10)
