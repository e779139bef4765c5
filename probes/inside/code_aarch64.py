"""The crash handlers in machine code: aarch64.

`CODE` is position independent; the address of the fault page is appended to it, eight bytes. What each entry does
is told in `hold.py`, the page's layout in `fault_page.py`. Numbers of system calls: the kernel's tables for this
architecture. Made by GNU as from the listing at the right of the bytes.
"""

from __future__ import annotations

ENTRIES = {"gate": 0x0, "hold": 0x28, "release": 0x74, "freeze": 0xE0}

CODE = bytes.fromhex(
    # gate:
    "e007bea9"  # 000 stp x0, x1, [sp, #-32]!
    "e27b01a9"  # 004 stp x2, x30, [sp, #16]
    "3d000094"  # 008 bl record
    "e27b41a9"  # 00c ldp x2, x30, [sp, #16]
    "e007c2a8"  # 010 ldp x0, x1, [sp], #32
    "0b010035"  # 014 cbnz w11, wait
    "c90d0058"  # 018 ldr x9, page
    "290d008b"  # 01c add x9, x9, x0, lsl #3
    "292140f9"  # 020 ldr x9, [x9, #64]
    "20011fd6"  # 024 br x9
    # hold:
    "fe0f1ff8"  # 028 str x30, [sp, #-16]!
    "34000094"  # 02c bl record
    "fe0741f8"  # 030 ldr x30, [sp], #16
    # wait:
    "e90c0058"  # 034 ldr x9, page
    "6a0000b4"  # 038 cbz x10, wait+0x10
    "43008052"  # 03c mov w3, #0x2
    "430100b9"  # 040 str w3, [x10]
    "000080d2"  # 044 mov x0, #0x0
    "21410391"  # 048 add x1, x9, #0xd0
    "020080d2"  # 04c mov x2, #0x0
    "e80c80d2"  # 050 mov x8, #0x67
    "010000d4"  # 054 svc #0x0
    "200080d2"  # 058 mov x0, #0x1
    "210180d2"  # 05c mov x1, #0x9
    "e81480d2"  # 060 mov x8, #0xa7
    "010000d4"  # 064 svc #0x0
    "307d40f9"  # 068 ldr x16, [x9, #248]
    "20410091"  # 06c add x0, x9, #0x10
    "00021fd6"  # 070 br x16
    # release:
    "e90a0058"  # 074 ldr x9, page
    "230d40b9"  # 078 ldr w3, [x9, #12]
    "03030034"  # 07c cbz w3, release+0x68
    "20c140b9"  # 080 ldr w0, [x9, #192]
    "c0020034"  # 084 cbz w0, release+0x68
    "21810091"  # 088 add x1, x9, #0x20
    "020080d2"  # 08c mov x2, #0x0
    "030180d2"  # 090 mov x3, #0x8
    "c81080d2"  # 094 mov x8, #0x86
    "010000d4"  # 098 svc #0x0
    "000080d2"  # 09c mov x0, #0x0
    "21810091"  # 0a0 add x1, x9, #0x20
    "020080d2"  # 0a4 mov x2, #0x0
    "e80c80d2"  # 0a8 mov x8, #0x67
    "010000d4"  # 0ac svc #0x0
    "23c540b9"  # 0b0 ldr w3, [x9, #196]
    "43010034"  # 0b4 cbz w3, release+0x68
    "481680d2"  # 0b8 mov x8, #0xb2
    "010000d4"  # 0bc svc #0x0
    "e403002a"  # 0c0 mov w4, w0
    "881580d2"  # 0c4 mov x8, #0xac
    "010000d4"  # 0c8 svc #0x0
    "e103042a"  # 0cc mov w1, w4
    "22c140b9"  # 0d0 ldr w2, [x9, #192]
    "681080d2"  # 0d4 mov x8, #0x83
    "010000d4"  # 0d8 svc #0x0
    "c0035fd6"  # 0dc ret
    # freeze:
    "89070058"  # 0e0 ldr x9, page
    "230940b9"  # 0e4 ldr w3, [x9, #8]
    "83000034"  # 0e8 cbz w3, freeze+0x18
    "307d40f9"  # 0ec ldr x16, [x9, #248]
    "20610091"  # 0f0 add x0, x9, #0x18
    "00021fd6"  # 0f4 br x16
    "c0035fd6"  # 0f8 ret
    # record:
    "a9060058"  # 0fc ldr x9, page
    "e403002a"  # 100 mov w4, w0
    "481680d2"  # 104 mov x8, #0xb2
    "010000d4"  # 108 svc #0x0
    "e503002a"  # 10c mov w5, w0
    "0b008052"  # 110 mov w11, #0x0
    "2a290b8b"  # 114 add x10, x9, x11, lsl #10
    "4a011091"  # 118 add x10, x10, #0x400
    "430540b9"  # 11c ldr w3, [x10, #4]
    "7f00056b"  # 120 cmp w3, w5
    "e0040054"  # 124 b.eq record+0xc4
    "6b050011"  # 128 add w11, w11, #0x1
    "7f1d0071"  # 12c cmp w11, #0x7
    "23ffff54"  # 130 b.cc record+0x18
    "23210091"  # 134 add x3, x9, #0x8
    "6bfc5f88"  # 138 ldaxr w11, [x3]
    "66050011"  # 13c add w6, w11, #0x1
    "66fc0788"  # 140 stlxr w7, w6, [x3]
    "a7ffff35"  # 144 cbnz w7, record+0x3c
    "7f1d0071"  # 148 cmp w11, #0x7
    "e2030054"  # 14c b.cs record+0xcc
    "2a290b8b"  # 150 add x10, x9, x11, lsl #10
    "4a011091"  # 154 add x10, x10, #0x400
    "450500b9"  # 158 str w5, [x10, #4]
    "440d00b9"  # 15c str w4, [x10, #12]
    "4b000035"  # 160 cbnz w11, record+0x6c
    "24c100b9"  # 164 str w4, [x9, #192]
    "43410091"  # 168 add x3, x10, #0x10
    "06018052"  # 16c mov w6, #0x8
    "278440f8"  # 170 ldr x7, [x1], #8
    "678400f8"  # 174 str x7, [x3], #8
    "c6040051"  # 178 sub w6, w6, #0x1
    "a6ffff35"  # 17c cbnz w6, record+0x74
    "43810191"  # 180 add x3, x10, #0x60
    "86078052"  # 184 mov w6, #0x3c
    "478440f8"  # 188 ldr x7, [x2], #8
    "678400f8"  # 18c str x7, [x3], #8
    "c6040051"  # 190 sub w6, w6, #0x1
    "a6ffff35"  # 194 cbnz w6, record+0x8c
    "881580d2"  # 198 mov x8, #0xac
    "010000d4"  # 19c svc #0x0
    "400900b9"  # 1a0 str w0, [x10, #8]
    "200080d2"  # 1a4 mov x0, #0x1
    "41410191"  # 1a8 add x1, x10, #0x50
    "280e80d2"  # 1ac mov x8, #0x71
    "010000d4"  # 1b0 svc #0x0
    "23008052"  # 1b4 mov w3, #0x1
    "43fd9f88"  # 1b8 stlr w3, [x10]
    "c0035fd6"  # 1bc ret
    "2b008052"  # 1c0 mov w11, #0x1
    "c0035fd6"  # 1c4 ret
    "0a0080d2"  # 1c8 mov x10, #0x0
    "c0035fd6"  # 1cc ret
)
