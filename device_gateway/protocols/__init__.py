"""What bytes mean, sans-I/O: bytes in; frames, ids and answers out. The only room that borrows `adapters.wire`."""
