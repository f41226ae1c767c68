"""What feedback says: choice sets, the reward posterior, rater reliability, and rater groups."""
