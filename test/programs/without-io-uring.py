"""Runs a command for which io_uring_setup(2) fails with EPERM, as container runtimes do it.

usage: without-io-uring.py COMMAND [ARGUMENT ...]; seccomp(2), bpf(2)
"""

import ctypes
import errno
import os
import struct
import sys

IO_URING_SETUP = 425  # the same number on every architecture
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000
BPF_LOAD_WORD, BPF_JUMP_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06


class Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def instruction(code, value, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, value)


number_offset = 0  # of struct seccomp_data
code = b"".join(
    [
        instruction(BPF_LOAD_WORD, number_offset),
        instruction(BPF_JUMP_EQUAL, IO_URING_SETUP, 0, 1),
        instruction(BPF_RETURN, SECCOMP_RET_ERRNO | errno.EPERM),
        instruction(BPF_RETURN, SECCOMP_RET_ALLOW),
    ]
)
memory = ctypes.create_string_buffer(code, len(code))
program = Program(len(code) // 8, ctypes.addressof(memory))
libc = ctypes.CDLL(None, use_errno=True)
for arguments in (
    (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
):
    if libc.prctl(*arguments) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
