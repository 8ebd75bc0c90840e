"""`python -m tjapi.employer.sheets`: reads an XLS from standard input in a process of its own."""

import sys

from tjapi.employer import sheets

rows, refusal = sheets.main(sys.stdin.buffer.read())
sys.stdout.buffer.write(rows)
sys.stderr.write(refusal)
sys.exit(1 if refusal else 0)
