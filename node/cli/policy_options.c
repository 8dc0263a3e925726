/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/policy_options.h"

#include <assert.h>
#include <stddef.h>

#include "node/config.h"

#define DAY_MS UINT64_C (86400000)

typedef enum { KIND_SHARE, KIND_NUMBER, KIND_DURATION, KIND_FLAG } kind_t;

/* Where each option's value stands; bounds as the charter's own (policy_check). */
static const struct {
    const char *name;
    kind_t kind;
    size_t offset;
    uint64_t minimum, maximum;
} s_options[] = {
    {"min-improvement", KIND_SHARE, offsetof (policy_t, min_improvement), 0, 1},
    {"approve-threshold", KIND_SHARE, offsetof (policy_t, approve_threshold), 0, 1},
    {"review-threshold", KIND_SHARE, offsetof (policy_t, review_threshold), 0, 1},
    {"quorum", KIND_SHARE, offsetof (policy_t, quorum), 0, 1},
    {"feedback-deadline", KIND_DURATION, offsetof (policy_t, feedback_deadline_ms), 1, DAY_MS},
    {"max-validators", KIND_NUMBER, offsetof (policy_t, max_validators), 1, LIMIT_MEMBERS},
    {"min-confirmations", KIND_NUMBER, offsetof (policy_t, min_confirmations), 0, LIMIT_MEMBERS},
    {"consensus-threshold", KIND_SHARE, offsetof (policy_t, consensus_threshold), 0, 1},
    {"held-expiry", KIND_DURATION, offsetof (policy_t, held_expiry_ms), 1, 366 * DAY_MS},
    {"allow-unvalidated", KIND_FLAG, offsetof (policy_t, allow_unvalidated), 0, 1},
};
#define OPTION_COUNT (sizeof s_options / sizeof *s_options)

static int s_read (const cli_t *cli, size_t index, policy_t *policy)
{
    const char *name = s_options[index].name;
    uint64_t minimum = s_options[index].minimum, maximum = s_options[index].maximum;
    void *slot = (char *)policy + s_options[index].offset;
    switch (s_options[index].kind) {
    case KIND_SHARE: return cli_real (cli, name, (double)minimum, (double)maximum, slot);
    case KIND_NUMBER: return cli_number (cli, name, minimum, maximum, slot);
    case KIND_DURATION: return cli_duration (cli, name, minimum, maximum, slot);
    case KIND_FLAG: *(uint64_t *)slot = cli_flag (cli, name); return CLI_DONE;
    }
    assert (false);
    return CLI_USAGE;
}

int policy_options_read (const cli_t *cli, policy_t *policy)
{
    assert (cli != NULL && policy != NULL);
    problem_t problem;
    int rc = CLI_DONE;
    *policy = policy_default ();
    for (size_t i = 0; i < OPTION_COUNT && rc == CLI_DONE; i++)
        rc = s_read (cli, i, policy);
    if (rc == CLI_DONE && policy_check (policy, &problem) != 0)
        return cli_usage (cli, "the policy: %s", problem.text);
    return rc;
}

static json_t *s_show (size_t index, const policy_t *policy)
{
    char duration[CONFIG_QUANTITY_BYTES];
    const void *slot = (const char *)policy + s_options[index].offset;
    switch (s_options[index].kind) {
    case KIND_SHARE: return json_real (*(const double *)slot);
    case KIND_NUMBER: return json_integer ((json_int_t) * (const uint64_t *)slot);
    case KIND_DURATION:
        config_duration_text (*(const uint64_t *)slot, duration);
        return json_string (duration);
    case KIND_FLAG: return json_boolean (*(const uint64_t *)slot != 0);
    }
    assert (false);
    return NULL;
}

json_t *policy_options_show (const policy_t *policy)
{
    assert (policy != NULL);
    json_t *options = json_object ();
    for (size_t i = 0; i < OPTION_COUNT; i++)
        json_object_set_new (options, s_options[i].name, s_show (i, policy));
    return options;
}
