/* SPDX-License-Identifier: MPL-2.0 */
/* What a verification holds on the way, for evolution/package*.c only. */
#ifndef EVOMESH_EVOLUTION_PACKAGE_CHECK_H
#define EVOMESH_EVOLUTION_PACKAGE_CHECK_H

#include "evolution/package.h"

typedef struct {
    group_t group;
    members_t *rosters[LIMIT_METADATA];
    size_t roster_count;
    const package_t *package;
    package_report_t *report;
    pubkey_t feedback_by[LIMIT_MEMBERS];
    size_t feedback_count;
    pubkey_t result_by[LIMIT_MEMBERS];
    size_t result_count;
    package_line_fn *line;
    void *context;
    problem_t *problem;
} package_check_t;

/* --- package_evidence.c --- */

/* Tells the caller's `line`, if there is one, what that key said. */
void package_check_say (const package_check_t *check, const char *what, const pubkey_t *who,
                        const char *said);

/* How many members the policy's numbers go by: those at the newest epoch that a voter spoke in, since voters, unlike the
 * package's author, have no interest in an old one; without evidence, at the epoch of the package itself. */
void package_check_count_members (package_check_t *check, uint64_t epoch);

/* True if `id` was a member at `epoch`, as a roster inside says. */
bool package_check_member_at (const package_check_t *check, uint64_t epoch, const pubkey_t *id);

/* Opens each piece of evidence and counts it. 0, or why the package isn't what it says, with the problem. */
int package_check_evidence (package_check_t *check);

#endif
