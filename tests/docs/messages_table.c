/* SPDX-License-Identifier: MPL-2.0 */
/* The tables of docs/PROTOCOL.md, made of the catalogues of messages and of errors. */
#include <inttypes.h>

#include "protocol/invite.h"
#include "tests/docs/generated.h"

static void s_put_field (buffer_t *out, const field_t *field)
{
    static const char *const types[] = {
        [FIELD_UINT] = "uint", [FIELD_REAL] = "real", [FIELD_NUMBER] = "number", [FIELD_DIGEST] = "digest",
        [FIELD_KEY] = "key",   [FIELD_TEXT] = "text", [FIELD_BYTES] = "bytes",   [FIELD_LIST] = "list"};
    generated_put (out, "`%s` %s", field->name, types[field->type]);
    if (field->of != NULL)
        generated_put (out, " of %s", field->of->name);
    if (field->bound > 0)
        generated_put (out, " ≤ %" PRIu64, field->bound);
}

static void s_put_fields (buffer_t *out, const record_t *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        generated_put (out, i > 0 ? ", " : "");
        s_put_field (out, &record->fields[i]);
    }
}

static void s_put_part (buffer_t *out, const record_t *record)
{
    generated_put (out, "| %s | ", record->name);
    s_put_fields (out, record);
    generated_put (out, " |\n");
}

static void s_put_messages (buffer_t *out)
{
    static const char *const classes[] = {
        [CLASS_LIVE] = "live", [CLASS_DURABLE] = "durable", [CLASS_SIGNED] = "signed"};
    static const char *const ways[] = {[WAY_NONE] = "–", [WAY_PUB] = "PUB", [WAY_RPC] = "RPC"};
    generated_put (out, "| kind | name | class | way | fields, in order |\n|---|---|---|---|---|\n");
    const message_info_t *info;
    for (size_t i = 0; (info = message_info_at (i)) != NULL; i++) {
        generated_put (out, "| %u | %s | %s | %s | ", info->kind, info->name, classes[info->class],
                       ways[info->way]);
        s_put_fields (out, info->record);
        generated_put (out, " |\n");
    }
    generated_put (out,
                   "\nThe records that stand in lists, the policy, and the record in an invite token:\n\n");
    generated_put (out, "| record | fields, in order |\n|---|---|\n");
#define PART_ROW(name, FIELDS) s_put_part (out, &name##_record);
    PARTS (PART_ROW)
#undef PART_ROW
    s_put_part (out, &invite_record);
}

static void s_put_errors (buffer_t *out)
{
    generated_put (out, "| code | name | |\n|---|---|---|\n");
#define ERROR_CODE(NAME, number, name, text) generated_put (out, "| %d | %s | %s |\n", number, name, text);
#include "protocol/error.def"
#undef ERROR_CODE
}

static const section_t s_sections[] = {
    {"<!-- messages:begin -->\n", "<!-- messages:end -->\n", s_put_messages},
    {"<!-- errors:begin -->\n", "<!-- errors:end -->\n", s_put_errors}};

int main (int argc, char **argv)
{
    return generated_main (argc, argv, s_sections, sizeof s_sections / sizeof s_sections[0]);
}
