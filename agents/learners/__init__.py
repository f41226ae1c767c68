"""The learners, one file each, and their protocol. agents/learner_catalog.py makes them."""
