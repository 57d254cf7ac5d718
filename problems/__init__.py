"""Problems, one file each. Import them as ``optbench.problems``."""
