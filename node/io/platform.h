/* SPDX-License-Identifier: MPL-2.0 */
/* What figures depend on beside the code: the machine, its system, and what programs are linked with. */
#ifndef EVOMESH_NODE_IO_PLATFORM_H
#define EVOMESH_NODE_IO_PLATFORM_H

#include "protocol/limits.h"

/* "x86_64/Linux/glibc-2.36": as compatibility_platform expects it, machine and system first. */
void platform_here (char platform[LIMIT_TEXT + 1]);

#endif
