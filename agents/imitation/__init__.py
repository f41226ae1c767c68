"""Policies from demonstrations and takeovers: the data set, the cloner, and ensembles in one policy."""
