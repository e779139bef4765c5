"""In: Evidence. Out: one file without network or scripts.
May import `report.content`, `report.shell`, `model`, `units`.

page.py report.css       the page
findings.py              its words: verdict, endings, findings, searches, trials
figures.py               its figures, each with its numbers
chart_matrix.py chart_memory.py chart_forwards.py    the drawings (svg.py: their shapes)
tags.py                  HTML as text; what is foreign is escaped
"""
