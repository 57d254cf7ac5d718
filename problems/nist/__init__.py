"""Nonlinear regression of the NIST Statistical Reference Datasets: real and generated data with certified solutions.

Source: National Institute of Standards and Technology, StRD, Nonlinear Least Squares Regression,
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml, a work of the US government in the public domain. The files
``data/*.dat`` are NIST's, unchanged, as the source distribution of lmfit 1.0.2 carries them. ``data/minima.json`` holds
the certified parameters refined from their 11 digits to double precision; tests/reference/nist_minima.py makes it.

Every problem has two starts, ``start=1`` (far) and ``start=2`` (near). The residuals are model minus observation.
"""
