"""A world of somebody else's, in a package of its own."""
