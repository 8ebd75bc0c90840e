"""The other end of the LIS wire: a small laboratory that takes orders, measures tubes and reports, faults on demand."""
