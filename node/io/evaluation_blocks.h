/* SPDX-License-Identifier: MPL-2.0 */
/* The rule for evolve files in which the agent's author marked blocks: a candidate changes nothing outside of them. It is enforced here,
 * before a candidate is measured, as contents are known only here: for own proposals, for what the operator proposes, for what peers ask
 * to have measured, and for packages. */
#ifndef EVOMESH_NODE_IO_EVALUATION_BLOCKS_H
#define EVOMESH_NODE_IO_EVALUATION_BLOCKS_H

#include "evolution/improvement.h"
#include "node/io/workshop.h"

/* REASON_NONE; REASON_PROTECTED, with file and line as the problem, for a candidate that differs from the group's start
 * outside of a block; REASON_FAULT if one of both can't be read. */
reason_code_t evaluation_check_blocks (const workshop_t *shop, const digest_t *candidate, problem_t *problem);

#endif
