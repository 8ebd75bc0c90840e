"""The process near the machines: whatever arrives as bytes is framed, journalled, acknowledged and handed on over REST."""
