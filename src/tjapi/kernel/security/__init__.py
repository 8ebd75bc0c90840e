"""Keys, tokens, passwords, the principal and what it may do. Deny by default."""
