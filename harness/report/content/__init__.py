"""In: Evidence. Out: what every report says, as plain values, whatever its form. May import `model`, `units`.

summary.py               endings, findings, controls, the machine
circumstances.py         what is known around an end: around_ends.py, around_use.py, around_threads.py, facts_of.py
grids.py                 the trials by their cells
long_tables.py           gaps and forward timings
search_rows.py           what the searches asked and found
chart_series.py          what the charts draw
"""
