"""Synthetic teachers and experts. They read the true reward; learners never import them."""
