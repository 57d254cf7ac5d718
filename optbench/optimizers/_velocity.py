"""The running sum of gradients that every form of momentum shares."""


def gains(t, momentum, dampening):
    """Factors (a, b) of velocity <- a velocity + b g at step t.

    The first velocity is the first gradient, undamped, as in PyTorch; so is every velocity without momentum.
    """
    if t == 1 or momentum == 0.0:
        return 0.0, 1.0
    return momentum, 1.0 - dampening
