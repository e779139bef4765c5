"""In: the machine around a trial. Out: kernel.jsonl, maps.txt. May import `outside`, `records`.

kernel_log.py            the kernel's lines since the trial began
mapped_libraries.py      the libraries mapped into the process
stack_tools.py           py-spy and gdb: where they are, what stands in their way
win32.py                 another process through the Win32 API
"""
