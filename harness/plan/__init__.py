"""In: what is asked, in YAML and options. Out: a `Plan`, or every problem at once. May import `model`, `units`.

plan_file.py             the whole plan; a new key goes here, or into its section
target_section.py        `target:`, the program observed, and how each factor reaches it
bisect_section.py        `bisect:`, what is to be searched
survive.py               `survive:`, how long a trial must live
checked_fields.py                typed reading that collects problems with their key paths
cells.py                 factors -> cells
intervention.py          one change of a cell, as a description
config_text/             the target's own configuration: one value set, every other byte as it was
"""
