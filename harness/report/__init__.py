"""In: Evidence, and the records that charts draw. Out: what people and programs read.
May import `decide`'s and `launch`'s names.

evidence.py              Evidence <-> evidence.json (evidence.schema.json)
content/                 what all reports say, as plain values: a new sentence for every reader goes here
console/ html/ markdown.py junit.py    the same content, in each form; formatters never judge
write.py export.py       all of it written; a picture for a README
live_display.py          what is seen while an inquest runs
shell.py user_errors.py    commands to paste; errors that the user can mend
"""
