"""Makes photo series with known faults, in the PhotoTriage layout, from any photos or from none.

`python -m trainer.series --help` explains it. Each photo becomes a series of two to five takes with graded camera
faults; the preference of a pair follows from the difference in severity.
"""
