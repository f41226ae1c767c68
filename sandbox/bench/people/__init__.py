"""Answers of real people to pairs of short drives, and what is learned from them."""
