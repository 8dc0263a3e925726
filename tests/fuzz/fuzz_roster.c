/* SPDX-License-Identifier: MPL-2.0 */
/* The input as a roster's body, signed by the founder: an admin may sign anything. What opens is sorted and bounded, and says
 * the same when it is asked. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/group.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sample.h"

static group_t s_group (const identity_t *founder)
{
    policy_t policy = policy_default ();
    digest_t none = {{0}};
    group_t group;
    int error = group_found (&group, founder, "packers", "binpack", &none, &none, &policy, 1);
    assert (error == 0);
    return group;
}

static void s_check (const members_t *members, const group_t *group)
{
    assert (members->count <= LIMIT_MEMBERS && members->epoch > 0);
    assert (members_live (members) <= members->count);
    for (size_t i = 0; i < members->count; i++) {
        assert (members_find (members, &members->members[i].id) == (int)i);
        assert (members_find_curve (members, &members->members[i].curve) == (int)i);
        assert (members->members[i].revoked_epoch <= members->epoch);
        assert (text_is_name (text_of (members->members[i].name)));
    }
    int first = members_follows (NULL, members, group);
    assert (first == 0 || first == ERROR_CONFLICT || first == ERROR_DENIED);
    assert (first != 0 || (members->count == 1 && members_is_admin (members, &group->founder)));
    assert (members_follows (members, members, group) == ERROR_STALE);
}

/* Takes the group of the input's head, so that a changed group id isn't the end of the way. */
static void s_try (const uint8_t *data, size_t size, const identity_t *founder, group_t *group)
{
    members_t *members = malloc (sizeof *members);
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES] = {0};
    head_t head;
    problem_t problem = {""};
    assert (members != NULL);
    if (statement_kind (data, size) != 0)
        statement_seal (founder, data, size, seal);
    if (message_head (data, size, &head) == 0)
        group->group = head.group;
    statement_pack (data, size, seal, &packed);
    if (members_open (bytes_of (packed.data, packed.size), group, members, &problem) == 0)
        s_check (members, group);
    else
        assert (problem.text[0] != '\0' && members->packed.data == NULL && members->count == 0);
    members_clear (members);
    buffer_clear (&packed);
    free (members);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    identity_t founder = sample_identity (1);
    group_t group = s_group (&founder);
    s_try (data, size, &founder, &group);
    group_clear (&group);
    return 0;
}
