"""The kernels of fully connected networks: forward pass, loss, backward pass, for any number of layers.

Layer l maps the activations a_{l-1}, shape (n_{l-1}, m), a_0 the features, to z_l = W_l a_{l-1} + b_l; the hidden ones
take a_l = s(z_l) with the activation s, the last one is linear. x = (W_1, b_1, W_2, b_2, ...), W_l of shape
(n_l, n_{l-1}) row by row. The work array holds, for every hidden layer, a_l and s'(z_l), each (n_l, m), then z_L and
two rows for the samples' largest output and sum of exponentials.
"""

from __future__ import annotations

import math

from optbench.problems._product import add_outer, add_product
from optbench.problems._vector import exp_neg, sigmoid, tanh

ROOT_HALF = math.sqrt(0.5)
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)


def block(array, at, rows, columns):
    """The matrix of that shape that starts at an entry of a vector."""
    return array[at : at + rows * columns].reshape(rows, columns)


def activate(kind, z, slope):
    """Replace z by s(z) and write s'(z) into `slope`; kinds are 0 tanh, 1 ReLU, 2 the logistic function, 3 GELU."""
    if kind == 0:
        for i in range(z.size):
            a = tanh(z[i])
            z[i] = a
            slope[i] = 1.0 - a * a
    elif kind == 1:
        for i in range(z.size):
            slope[i] = 1.0 if z[i] > 0.0 else 0.0
            z[i] = 0.0 if z[i] <= 0.0 else z[i]  # NaN stays
    elif kind == 2:
        for i in range(z.size):
            z[i], slope[i] = sigmoid(z[i])
    else:
        for i in range(z.size):
            share = 0.5 * math.erfc(-ROOT_HALF * z[i])
            slope[i] = share + z[i] * DENSITY * exp_neg(0.5 * z[i] * z[i])
            z[i] *= share


def forward(x, data):
    """Write the activations, their slopes and the outputs; gives the outputs, shape (n_L, m)."""
    m, last = data.X.shape[1], data.sizes.size - 1
    at = place = 0
    below = data.X
    for layer in range(1, last + 1):
        d, n = int(data.sizes[layer - 1]), int(data.sizes[layer])
        z = block(data.work, place, n, m)
        for i in range(n):
            row, bias = z[i], x[at + n * d + i]
            for b in range(m):
                row[b] = bias
        add_product(z, block(x, at, n, d), below)
        if layer < last:
            size = n * m
            activate(data.activation, data.work[place : place + size], data.work[place + size : place + 2 * size])
            place += 2 * size
        at += n * (d + 1)
        below = z
    return below


def backward(x, g, data):
    """Gradient from the outputs' gradients, which stand in the place of the outputs; gives the sum of squared weights.

    What is done with a_l: the product W_{l+1}^T (gradient of z_{l+1}) takes its place, and times the slope, in the
    slope's place, it is the gradient of z_l.
    """
    m, last = data.X.shape[1], data.sizes.size - 1
    at, place, total = x.size, 0, 0.0
    for layer in range(1, last):
        place += 2 * int(data.sizes[layer]) * m
    for layer in range(last, 0, -1):
        d, n = int(data.sizes[layer - 1]), int(data.sizes[layer])
        at -= n * (d + 1)
        above = block(data.work, place if layer == last else place + n * m, n, m)
        below = data.X
        if layer > 1:
            place -= 2 * d * m
            below = block(data.work, place, d, m)
        total += layer_gradient(x[at : at + n * d], g[at : at + n * (d + 1)], above, below, data.alpha)
        if layer > 1:
            size = d * m
            a, slope = data.work[place : place + size], data.work[place + size : place + 2 * size]
            for i in range(size):
                a[i] = 0.0
            add_product(below, block(x, at, n, d).T, above)
            for i in range(size):
                slope[i] *= a[i]
    return total


def layer_gradient(w, g, above, below, alpha):
    """Gradient of a layer's weights, with the penalty's, and biases; gives the sum of the squared weights."""
    n, d = above.shape[0], below.shape[0]
    total = 0.0
    for j in range(n * d):
        total += w[j] * w[j]
        g[j] = alpha * w[j]
    add_outer(block(g, 0, n, d), above, below)
    for i in range(n):
        row, slope = above[i], 0.0
        for b in range(row.size):
            slope += row[b]
        g[n * d + i] = slope
    return total


def cross_entropy(out, labels, peak, total):
    """Mean of -log softmax(out)[label]; the outputs' gradients take their place. `peak`, `total`: room."""
    m = peak.size
    largest(out, peak)
    for b in range(m):
        total[b] = 0.0
    f = 0.0
    for c in range(out.shape[0]):
        row = out[c]
        for b in range(m):
            below = peak[b] - row[b]
            f += below if labels[b] == c else 0.0
            row[b] = exp_neg(below)
            total[b] += row[b]
    for b in range(m):
        f += math.log(total[b])
        total[b] = 1.0 / (m * total[b])
    share = 1.0 / m
    for c in range(out.shape[0]):
        row = out[c]
        for b in range(m):
            row[b] = row[b] * total[b] - (share if labels[b] == c else 0.0)
    return f / m


def largest(out, peak):
    """Largest output of every sample."""
    for b in range(peak.size):
        peak[b] = out[0, b]
    for c in range(1, out.shape[0]):
        row = out[c]
        for b in range(peak.size):
            peak[b] = row[b] if row[b] > peak[b] else peak[b]


def mean_square(out, targets):
    """Mean over samples and outputs of the squared differences; the outputs' gradients take their place."""
    scale = 1.0 / (out.shape[0] * out.shape[1])
    f = 0.0
    for c in range(out.shape[0]):
        row, goal = out[c], targets[c]
        for b in range(row.size):
            r = row[b] - goal[b]
            f += r * r
            row[b] = 2.0 * scale * r
    return f * scale


def accuracy(out, labels):
    """Share of the samples whose largest output is that of their class; a tie goes to the first."""
    right = 0
    for b in range(out.shape[1]):
        best = 0
        for c in range(1, out.shape[0]):
            if out[c, b] > out[best, b]:
                best = c
        if best == labels[b]:
            right += 1
    return right / out.shape[1]


def spare(data):
    """The two rows behind the outputs, each shape (m,)."""
    m = data.X.shape[1]
    end = data.work.size
    return data.work[end - 2 * m : end - m], data.work[end - m : end]
