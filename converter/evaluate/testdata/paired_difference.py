#!/usr/bin/env python3
"""Computes the figures of paired_difference_test.cc with SciPy, from the definition alone.

The likelihood of the counts (lost, gained, the rest) is maximised numerically among distributions with a given
difference, and the difference at which the score statistic has the wanted quantile is searched. Also simulates
how often the one-sided bound holds. Run: python3 paired_difference.py
"""
import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm


def likely_gain(lost, gained, images, difference):
    """argmax over q of lost log(q + D) + gained log q + rest log(1 - 2 q - D)."""
    rest = images - lost - gained
    low, high = max(0.0, -difference), (1 - difference) / 2

    def loss(q):
        def term(count, share):
            return 0.0 if count == 0 else count * math.log(max(share, 1e-300))

        return -(term(lost, q + difference) + term(gained, q) + term(rest, 1 - 2 * q - difference))

    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-14})
    return min((low, high, found.x), key=loss)


def score(lost, gained, images, difference):
    q = likely_gain(lost, gained, images, difference)
    variance = images * (2 * q + difference - difference * difference)
    return (lost - gained - images * difference) / math.sqrt(max(variance, 1e-300))


def upper(lost, gained, images, probability):
    z = norm.ppf(probability)
    start = (lost - gained) / images
    return brentq(lambda d: score(lost, gained, images, d) + z, start + 1e-12, 1 - 1e-12, xtol=1e-12)


def needed(lost, gained, images, most):
    """By bisection; the bound falls with the number of images."""
    low, high = 1, 1 << 30
    while high - low > 1:
        middle = (low + high) // 2
        share = middle / images
        good = upper(lost * share, gained * share, middle, 0.95) <= most
        low, high = (low, middle) if good else (middle, high)
    return high


def coverage(p_lost, p_gained, images, runs=20000):
    """How often the bound is not below the true drop."""
    random = np.random.default_rng(1)
    draws = random.multinomial(images, [p_lost, p_gained, 1 - p_lost - p_gained], size=runs)
    bounds = {}
    held = 0
    for lost, gained, _ in draws:
        if (lost, gained) not in bounds:
            bounds[lost, gained] = upper(lost, gained, images, 0.95)
        held += bounds[lost, gained] >= p_lost - p_gained
    return held / runs


def main():
    print("lost gained images: one-sided bound; two-sided interval")
    for lost, gained, images in ((0, 0, 100), (0, 0, 2000), (3, 0, 500), (0, 4, 500), (7, 1, 21), (73, 37, 2000),
                                 (60, 58, 2000), (12, 30, 1000), (40, 20, 160)):
        print(lost, gained, images, f"{upper(lost, gained, images, 0.95):.6f}",
              f"[{-upper(gained, lost, images, 0.975):.6f}, {upper(lost, gained, images, 0.975):.6f}]")
    print("images needed")
    for lost, gained, images, most in ((73, 57, 2000, 0.01), (3, 0, 500, 0.01), (0, 0, 20, 0.01), (0, 0, 20, 0.05)):
        print(lost, gained, images, most, needed(lost, gained, images, most))
    print("how often the bound holds")
    for p_lost, p_gained, images in ((0.01, 0, 300), (0.012, 0.002, 500), (0.035, 0.025, 2000), (0.03, 0.02, 300)):
        print(p_lost, p_gained, images, coverage(p_lost, p_gained, images))


if __name__ == "__main__":
    main()
