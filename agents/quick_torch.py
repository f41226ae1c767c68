"""torch without its compiler, which no learner uses and which takes 2 to 3 s of CPU to import.

torch's optimisers import it at their first use, only to tell it to leave them alone (a function that
was told so carries the mark `__dynamo_disable`). The mark set beforehand, that import never happens.
"""

from __future__ import annotations


def skip_compiler() -> None:
    """Before the first optimiser is made. Without effect on a torch that does it in another way."""
    from torch.optim import Optimizer

    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)
