"""What every context stands on and what knows none of the hospital's nouns."""
