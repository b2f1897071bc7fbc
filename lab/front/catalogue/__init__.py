"""The catalogue of published failures: what vendors say, what the plans predict, where each is played."""
