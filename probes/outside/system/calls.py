"""The system calls and errors by which the kernel says that there is no more of something; names and numbers.

Sources: arch/x86/include/generated/uapi/asm/unistd_64.h, include/uapi/asm-generic/unistd.h (aarch64), errno(3). A call
that is not listed is named by its number.
"""

from __future__ import annotations

import errno
import os

X86_64 = """
read=0 write=1 open=2 close=3 lseek=8 mmap=9 mprotect=10 munmap=11 brk=12 ioctl=16 pread64=17 pwrite64=18 readv=19
writev=20 pipe=22 mremap=25 msync=26 madvise=28 shmget=29 shmat=30 dup=32 dup2=33 socket=41 connect=42 accept=43
sendto=44 recvfrom=45 sendmsg=46 recvmsg=47 clone=56 fork=57 vfork=58 execve=59 fcntl=72 fsync=74 fdatasync=75
truncate=76 ftruncate=77 rename=82 mkdir=83 creat=85 link=86 symlink=88 unlink=87 mlock=149 mlockall=151 semget=64
setuid=105 setreuid=113 setresuid=117 io_setup=206 timer_create=222 prlimit64=302 setrlimit=160 sendfile=40
splice=275 copy_file_range=326 epoll_create=213 epoll_create1=291 epoll_ctl=233 inotify_init=253 inotify_init1=294
inotify_add_watch=254 openat=257 openat2=437 mkdirat=258 renameat=264 renameat2=316 linkat=265 symlinkat=266
unlinkat=263 fallocate=285 eventfd2=290 eventfd=284 signalfd4=289 timerfd_create=283 dup3=292 pipe2=293 preadv=295
pwritev=296 preadv2=327 pwritev2=328 accept4=288 perf_event_open=298 memfd_create=319 userfaultfd=323 mlock2=325
io_uring_setup=425 io_uring_enter=426 io_uring_register=427 clone3=435 execveat=322 statx=332 newfstatat=262
sync_file_range=277 mbind=237 set_mempolicy=238 fanotify_init=300 fanotify_mark=301 socketpair=53 msgget=68
mq_open=240 bpf=321 pidfd_open=434 prctl=157 futex=202 getdents64=217 syncfs=306
"""
AARCH64 = """
read=63 write=64 close=57 lseek=62 mmap=222 mprotect=226 munmap=215 brk=214 ioctl=29 pread64=67 pwrite64=68 readv=65
writev=66 mremap=216 msync=227 madvise=233 shmget=194 shmat=196 dup=23 socket=198 connect=203 accept=202 sendto=206
recvfrom=207 sendmsg=211 recvmsg=212 clone=220 execve=221 fcntl=25 fsync=82 fdatasync=83 truncate=45 ftruncate=46
mlock=228 mlockall=230 semget=190 setuid=146 setreuid=145 setresuid=147 io_setup=0 timer_create=107 prlimit64=261
setrlimit=164 sendfile=71 splice=76 copy_file_range=285 epoll_create1=20 epoll_ctl=21 inotify_init1=26
inotify_add_watch=27 openat=56 openat2=437 mkdirat=34 renameat=38 renameat2=276 linkat=37 symlinkat=36 unlinkat=35
fallocate=47 eventfd2=19 signalfd4=74 timerfd_create=85 dup3=24 pipe2=59 preadv=69 pwritev=70 preadv2=286
pwritev2=287 accept4=242 perf_event_open=241 memfd_create=279 userfaultfd=282 mlock2=284 io_uring_setup=425
io_uring_enter=426 io_uring_register=427 clone3=435 execveat=281 statx=291 newfstatat=79 sync_file_range=84
mbind=235 set_mempolicy=237 fanotify_init=262 fanotify_mark=263 socketpair=199 msgget=186 mq_open=180 bpf=280
pidfd_open=434 prctl=167 futex=98 getdents64=61 syncfs=267
"""
ERRORS = ("ENOSPC", "ENOMEM", "EMFILE", "ENFILE", "EFBIG", "EDQUOT", "EIO", "ESTALE", "EPIPE", "EROFS")
NO_PROCESS = ("clone", "clone3", "fork", "vfork", "execve", "execveat")  # EAGAIN: no more threads or processes
NO_MORE = ("mlock", "mlock2", "mlockall", "mmap", "io_setup", "timer_create", "setuid", "setreuid", "setresuid")
WRITING = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "fallocate", "ftruncate", "truncate", "fsync", "fdatasync",
    "sendfile", "splice", "copy_file_range", "msync", "syncfs", "sync_file_range", "close",
)  # fmt: skip
MAPPING = ("mmap", "brk", "mremap", "mprotect", "munmap", "madvise", "mlock", "mlock2", "mlockall", "shmat", "shmget")
DESCRIPTORS = ("EMFILE", "ENFILE")


def names(machine: str = "") -> dict[int, str]:
    """Return number -> name of the system calls of this machine, or of the one that is named."""
    table = AARCH64 if (machine or os.uname().machine) == "aarch64" else X86_64
    pairs = (word.partition("=") for word in table.split())
    return {int(number): name for name, _, number in pairs}


def errors() -> tuple[int, ...]:
    """Return the errors of want, whatever the call."""
    return tuple(getattr(errno, name) for name in ERRORS)


def of_more(machine: str = "") -> tuple[int, ...]:
    """Return the calls of which EAGAIN says as well that there is no more."""
    numbers = {name: number for number, name in names(machine).items()}
    return tuple(numbers[name] for name in (*NO_PROCESS, *NO_MORE) if name in numbers)


def condition(machine: str = "") -> str:
    """Return the filter of raw_syscalls:sys_exit that lets these refusals through, and nothing else.

    What decides most of the calls comes first: the kernel stops there.
    """
    wants = " || ".join(f"ret == -{number}" for number in errors())
    again = " || ".join(f"id == {number}" for number in of_more(machine))
    return f"ret < 0 && ({wants} || (ret == -{errno.EAGAIN} && ({again})))"


def is_about_processes(call: str) -> bool:
    """Whether a call makes a thread or a process."""
    return call in NO_PROCESS
