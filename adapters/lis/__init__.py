"""检验 (LIS): the laboratory's system. Orders go out, reports come in; one file per vendor, one sandbox peer."""
