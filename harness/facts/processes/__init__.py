"""In: processes/, ends.jsonl, children.jsonl, exits.jsonl. Out: who ended when, how, and who followed. Pure.
May import `facts`.

ends.py                  how each process ended, by whichever record knows it
first_death.py           which was first, and which merely followed
last_said.py             what stderr had in the last second before each death
workers.py               the worker that died first of a signal
training_process.py      which process does the training
"""
