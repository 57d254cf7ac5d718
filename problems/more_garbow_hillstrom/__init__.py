"""More, Garbow & Hillstrom (1981), "Testing Unconstrained Optimization Software", ACM TOMS 7, 17-41.

Every problem is a sum of squared residuals, f = sum r_i^2, with the paper's standard start. Problems 1, 4, 5, 7, 13,
14, 22 and 26 are files of the folder above: `rosenbrock`, `brown_badly_scaled`, `beale`, `helical_valley`,
`powell_singular`, `wood` and `trigonometric`.
"""
