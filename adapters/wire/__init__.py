"""Sans-I/O codecs shared by adapters, sandboxes and the device gateway: bytes in, values out, no socket, no clock."""
