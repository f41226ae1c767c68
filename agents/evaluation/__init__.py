"""Scores by the true reward: reference returns, the oracle, source digests. Learners never import it."""
