"""The crash handlers in machine code: x86-64.

`CODE` is position independent; the address of the fault page is appended to it, eight bytes. What each entry does
is told in `hold.py`, the page's layout in `fault_page.py`. Numbers of system calls: the kernel's tables for this
architecture. Made by GNU as from the listing at the right of the bytes.
"""

from __future__ import annotations

ENTRIES = {"gate": 0x0, "hold": 0x1B, "release": 0x5B, "freeze": 0xBB}

CODE = bytes.fromhex(
    # gate:
    "57"  # 000 push rdi
    "56"  # 001 push rsi
    "52"  # 002 push rdx
    "e8cd000000"  # 003 call record
    "5a"  # 008 pop rdx
    "5e"  # 009 pop rsi
    "5f"  # 00a pop rdi
    "85c0"  # 00b test eax,eax
    "7511"  # 00d jne wait
    "4c8b0d72010000"  # 00f mov r9,QWORD PTR [rip+0x172]
    "41ff64f940"  # 016 jmp QWORD PTR [r9+rdi*8+0x40]
    # hold:
    "e8b5000000"  # 01b call record
    # wait:
    "4c8b0d61010000"  # 020 mov r9,QWORD PTR [rip+0x161]
    "4d85d2"  # 027 test r10,r10
    "7407"  # 02a je wait+0x13
    "41c70202000000"  # 02c mov DWORD PTR [r10],0x2
    "b825000000"  # 033 mov eax,0x25
    "bf3c000000"  # 038 mov edi,0x3c
    "0f05"  # 03d syscall
    "b89d000000"  # 03f mov eax,0x9d
    "bf01000000"  # 044 mov edi,0x1
    "be09000000"  # 049 mov esi,0x9
    "0f05"  # 04e syscall
    "498d7910"  # 050 lea rdi,[r9+0x10]
    "41ffa1f8000000"  # 054 jmp QWORD PTR [r9+0xf8]
    # release:
    "4c8b0d26010000"  # 05b mov r9,QWORD PTR [rip+0x126]
    "4183790c00"  # 062 cmp DWORD PTR [r9+0xc],0x0
    "7451"  # 067 je release+0x5f
    "418bb9c0000000"  # 069 mov edi,DWORD PTR [r9+0xc0]
    "85ff"  # 070 test edi,edi
    "7446"  # 072 je release+0x5f
    "b80d000000"  # 074 mov eax,0xd
    "498d7120"  # 079 lea rsi,[r9+0x20]
    "31d2"  # 07d xor edx,edx
    "41ba08000000"  # 07f mov r10d,0x8
    "0f05"  # 085 syscall
    "b825000000"  # 087 mov eax,0x25
    "31ff"  # 08c xor edi,edi
    "0f05"  # 08e syscall
    "4183b9c400000000"  # 090 cmp DWORD PTR [r9+0xc4],0x0
    "7420"  # 098 je release+0x5f
    "b827000000"  # 09a mov eax,0x27
    "0f05"  # 09f syscall
    "89c7"  # 0a1 mov edi,eax
    "b8ba000000"  # 0a3 mov eax,0xba
    "0f05"  # 0a8 syscall
    "89c6"  # 0aa mov esi,eax
    "418b91c0000000"  # 0ac mov edx,DWORD PTR [r9+0xc0]
    "b8ea000000"  # 0b3 mov eax,0xea
    "0f05"  # 0b8 syscall
    "c3"  # 0ba ret
    # freeze:
    "4c8b0dc6000000"  # 0bb mov r9,QWORD PTR [rip+0xc6]
    "4183790800"  # 0c2 cmp DWORD PTR [r9+0x8],0x0
    "740b"  # 0c7 je freeze+0x19
    "498d7918"  # 0c9 lea rdi,[r9+0x18]
    "41ffa1f8000000"  # 0cd jmp QWORD PTR [r9+0xf8]
    "c3"  # 0d4 ret
    # record:
    "4c8b0dac000000"  # 0d5 mov r9,QWORD PTR [rip+0xac]
    "b8ba000000"  # 0dc mov eax,0xba
    "0f05"  # 0e1 syscall
    "4189c0"  # 0e3 mov r8d,eax
    "31c0"  # 0e6 xor eax,eax
    "4189c2"  # 0e8 mov r10d,eax
    "41c1e20a"  # 0eb shl r10d,0xa
    "4f8d941100040000"  # 0ef lea r10,[r9+r10*1+0x400]
    "45394204"  # 0f7 cmp DWORD PTR [r10+0x4],r8d
    "747d"  # 0fb je record+0xa5
    "ffc0"  # 0fd inc eax
    "83f807"  # 0ff cmp eax,0x7
    "72e4"  # 102 jb record+0x13
    "b801000000"  # 104 mov eax,0x1
    "f0410fc14108"  # 109 lock xadd DWORD PTR [r9+0x8],eax
    "83f807"  # 10f cmp eax,0x7
    "736c"  # 112 jae record+0xab
    "4189c2"  # 114 mov r10d,eax
    "41c1e20a"  # 117 shl r10d,0xa
    "4f8d941100040000"  # 11b lea r10,[r9+r10*1+0x400]
    "45894204"  # 123 mov DWORD PTR [r10+0x4],r8d
    "41897a0c"  # 127 mov DWORD PTR [r10+0xc],edi
    "4189c0"  # 12b mov r8d,eax
    "85c0"  # 12e test eax,eax
    "7507"  # 130 jne record+0x64
    "4189b9c0000000"  # 132 mov DWORD PTR [r9+0xc0],edi
    "498d7a10"  # 139 lea rdi,[r10+0x10]
    "b908000000"  # 13d mov ecx,0x8
    "f348a5"  # 142 rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]
    "4889d6"  # 145 mov rsi,rdx
    "498d7a60"  # 148 lea rdi,[r10+0x60]
    "b93c000000"  # 14c mov ecx,0x3c
    "f348a5"  # 151 rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]
    "b827000000"  # 154 mov eax,0x27
    "0f05"  # 159 syscall
    "41894208"  # 15b mov DWORD PTR [r10+0x8],eax
    "b8e4000000"  # 15f mov eax,0xe4
    "bf01000000"  # 164 mov edi,0x1
    "498d7250"  # 169 lea rsi,[r10+0x50]
    "0f05"  # 16d syscall
    "41c70201000000"  # 16f mov DWORD PTR [r10],0x1
    "4489c0"  # 176 mov eax,r8d
    "c3"  # 179 ret
    "b801000000"  # 17a mov eax,0x1
    "c3"  # 17f ret
    "83c8ff"  # 180 or eax,0xffffffff
    "4531d2"  # 183 xor r10d,r10d
    "c3"  # 186 ret
    "90"  # 187 nop
)
