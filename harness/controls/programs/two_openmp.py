"""Two OpenMP runtimes in one process, each with a pool of its own, where there are threads enough for one.

Usage: two_openmp.py LIBGOMP COPY
"""
