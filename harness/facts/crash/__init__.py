"""In: what a dying process and the tools printed. Out: its stacks, and its signature. Pure.
May import `facts`, `model`.

faulting_stack.py        the frames of the thread at fault, from the best of the texts below
faulthandler_text.py torch_text.py gdb_text.py pyspy_text.py    parsers, one a tool (blocks.py: what they share)
frames.py frame_names.py noise.py    a frame; how it is spelt; which frames tell nothing
signature.py             what makes two deaths the same
fault_place.py           which thread, where, how near to the end of its stack
"""
