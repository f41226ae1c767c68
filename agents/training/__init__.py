"""Training a policy on a learned reward: trainers, restarts, policy history, and warm starts."""
