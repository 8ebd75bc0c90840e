"""One file per instrument, `<maker>_<model>.py`: what is peculiar to it above its protocol. Hospital systems need none."""
