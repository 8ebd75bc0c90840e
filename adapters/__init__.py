"""The outside world: a folder per kind of system, a file per vendor, and the other end of each wire as a sandbox."""
