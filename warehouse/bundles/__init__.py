"""Snapshots for others: one published state as a folder or one file, signed, from which a lake can be made anew."""
