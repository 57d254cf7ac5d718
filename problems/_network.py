"""The kernels of fully connected networks: forward pass, loss, backward pass, for any number of layers.

Layer l maps the activations a_{l-1}, shape (n_{l-1}, m), a_0 the features, to z_l = W_l a_{l-1} + b_l; the hidden ones
take a_l = s(z_l) with the activation s, the last one is linear. x = (W_1, b_1, W_2, b_2, ...), W_l of shape
(n_l, n_{l-1}) row by row. The samples are taken `TILE` at a time; of these the work array holds, for every hidden
layer, a_l and s'(z_l), each (n_l, m), then z_L and, at its end, room for the largest outputs and sums of exponentials.
"""

from __future__ import annotations

import math

from optbench.problems._product import add_outer, add_product
from optbench.problems._vector import exp_neg, sigmoid, tanh

TILE = 256  # samples at a time, so that all that is known of them stays in a core's cache
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


def forward(x, data, start, end):
    """Write activations, slopes and outputs of some samples; gives the outputs, shape (n_L, end - start)."""
    m, last = end - start, data.sizes.size - 1
    at = place = 0
    below, offset = data.X, start
    for layer in range(1, last + 1):
        d, n = int(data.sizes[layer - 1]), int(data.sizes[layer])
        z = block(data.work, place, n, m)
        for i in range(n):
            row, bias = z[i], x[at + n * d + i]
            for b in range(m):
                row[b] = bias
        add_product(z, x[at : at + n * d], d, 1, below, offset)
        if layer < last:
            size = n * m
            activate(data.activation, data.work[place : place + size], data.work[place + size : place + 2 * size])
            place += 2 * size
        at += n * (d + 1)
        below, offset = z, 0
    return below


def backward(x, g, data, start, end):
    """Add the gradient that these samples have, from the outputs' gradients, which stand in the place of the outputs.

    The product W_{l+1}^T (gradient of z_{l+1}) takes the place of a_l, and times the slope, in the slope's place, it is
    the gradient of z_l.
    """
    m, last = end - start, data.sizes.size - 1
    at, place = x.size, 0
    for layer in range(1, last):
        place += 2 * int(data.sizes[layer]) * m
    for layer in range(last, 0, -1):
        d, n = int(data.sizes[layer - 1]), int(data.sizes[layer])
        at -= n * (d + 1)
        above = block(data.work, place if layer == last else place + n * m, n, m)
        for i in range(n):
            g[at + n * d + i] += total(above[i])
        below, offset, size = data.X, start, d * m
        if layer > 1:
            place -= 2 * size
            below, offset = block(data.work, place, d, m), 0
        add_outer(block(g, at, n, d), above, below, offset)
        if layer > 1:
            a, slope = data.work[place : place + size], data.work[place + size : place + 2 * size]
            for i in range(size):
                a[i] = 0.0
            add_product(below, x[at : at + n * d], 1, d, above, 0)
            for i in range(size):
                slope[i] *= a[i]


def total(values):
    """Sum."""
    result = 0.0
    for i in range(values.size):
        result += values[i]
    return result


def penalty(x, g, data):
    """(alpha / 2) times the sum of the squared weights; its gradient into g."""
    at, squares = 0, 0.0
    for layer in range(1, data.sizes.size):
        n = int(data.sizes[layer])
        end = at + n * int(data.sizes[layer - 1])
        for j in range(at, end):
            squares += x[j] * x[j]
            g[j] = data.alpha * x[j]
        at = end + n
        for j in range(end, at):
            g[j] = 0.0
    return 0.5 * data.alpha * squares


def cross_entropy(out, labels, scale, peak, sums):
    """`scale` times the sum of -log softmax(out)[label]; the outputs' gradients take their place.

    `peak` and `sums` are room for as many numbers as there are samples.
    """
    m = peak.size
    f = 0.0
    for c in range(out.shape[0]):
        row = out[c]
        for b in range(m):
            f -= row[b] if labels[b] == c else 0.0
    exponentials(out, peak, sums)
    for b in range(m):
        f += math.log(sums[b]) + peak[b]
        sums[b] = scale / sums[b]
    for c in range(out.shape[0]):
        row = out[c]
        for b in range(m):
            row[b] = row[b] * sums[b] - (scale if labels[b] == c else 0.0)
    return scale * f


def exponentials(out, peak, sums):
    """Replace the outputs z by exp(z - peak), `peak` a sample's largest; their sums over the outputs into `sums`."""
    for b in range(peak.size):
        peak[b], sums[b] = out[0, b], 0.0
    for c in range(1, out.shape[0]):
        row = out[c]
        for b in range(peak.size):
            peak[b] = row[b] if row[b] > peak[b] else peak[b]
    for c in range(out.shape[0]):
        row = out[c]
        for b in range(peak.size):
            row[b] = exp_neg(peak[b] - row[b])
            sums[b] += row[b]


def squares(out, targets, scale, start):
    """`scale` times the sum of the squared differences; the outputs' gradients take their place."""
    f = 0.0
    for c in range(out.shape[0]):
        row, goal = out[c], targets[c, start : start + out.shape[1]]
        for b in range(row.size):
            r = row[b] - goal[b]
            f += r * r
            row[b] = 2.0 * scale * r
    return scale * f


def hits(out, labels):
    """Number of samples whose largest output is that of their class; a tie goes to the first."""
    right = 0
    for b in range(out.shape[1]):
        best = 0
        for c in range(1, out.shape[0]):
            if out[c, b] > out[best, b]:
                best = c
        if best == labels[b]:
            right += 1
    return right


def spare(data, m):
    """Two rows behind the outputs, each shape (m,)."""
    end = data.work.size
    return data.work[end - 2 * m : end - m], data.work[end - m : end]
