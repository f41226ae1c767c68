"""Reward models: linear, additive, neural, adversarial and TAMER, with priors, likelihoods and saliency."""
