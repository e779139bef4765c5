"""In: Evidence. Out: lines and tables for a terminal, through rich. May import `report.content`, `model`, `units`.

review.py                an inquest; one_trial.py: one trial, in detail
tables.py searches.py    the matrix, timings, gaps, controls; the decision trees
styles.py                colours, titles, badges, sources
"""
