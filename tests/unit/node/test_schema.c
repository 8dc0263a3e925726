/* SPDX-License-Identifier: MPL-2.0 */
#include "node/schema.h"

#include "tests/lib/suite.h"

typedef struct {
    char name[9];
    uint64_t count;
} item_t;

typedef struct {
    char text[9];
    bool on;
    uint64_t count;
    uint64_t any;
    double real;
    uint64_t wait_ms;
    uint64_t room_bytes;
    int choice;
    char words[3][9];
    size_t word_count;
    item_t items[2];
    size_t item_count;
    struct {
        uint64_t depth;
    } inner;
    bool depth_given;
} thing_t;

static const char *s_add_word (void *object, const char *text)
{
    thing_t *thing = object;
    if (strlen (text) > 8)
        return "8 bytes at most";
    strcpy (thing->words[thing->word_count++], text);
    return NULL;
}

static void *s_add_item (void *object)
{
    thing_t *thing = object;
    return &thing->items[thing->item_count++];
}

static bool s_is_small (const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z';
}

static const char *const s_colours[] = {"red", "green", "blue", NULL};
static const schema_key_t s_item_keys[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof (item_t, name),
     .bound = 8,
     .required = true,
     .accept_text = s_is_small,
     .expected = "a small name"},
    {.name = "count", .type = SCHEMA_INTEGER, .offset = offsetof (item_t, count)},
    {.name = NULL}};
static const schema_key_t s_inner_keys[] = {
    {.name = "depth", .type = SCHEMA_INTEGER, .minimum = 1, .maximum = 9}, {.name = NULL}};
static const schema_key_t s_keys[] = {
    {.name = "text", .type = SCHEMA_TEXT, .offset = offsetof (thing_t, text), .bound = 8, .required = true},
    {.name = "on", .type = SCHEMA_BOOL, .offset = offsetof (thing_t, on)},
    {.name = "count",
     .type = SCHEMA_INTEGER,
     .offset = offsetof (thing_t, count),
     .minimum = 2,
     .maximum = 64},
    {.name = "any", .type = SCHEMA_INTEGER, .offset = offsetof (thing_t, any)},
    {.name = "real", .type = SCHEMA_REAL, .offset = offsetof (thing_t, real), .minimum = -1, .maximum = 1},
    {.name = "wait",
     .type = SCHEMA_DURATION,
     .offset = offsetof (thing_t, wait_ms),
     .minimum = 100,
     .maximum = 60000},
    {.name = "room", .type = SCHEMA_BYTES, .offset = offsetof (thing_t, room_bytes)},
    {.name = "colour", .type = SCHEMA_CHOICE, .offset = offsetof (thing_t, choice), .choices = s_colours},
    {.name = "words", .type = SCHEMA_TEXTS, .bound = 3, .minimum = 1, .add_text = s_add_word},
    {.name = "items", .type = SCHEMA_MAPS, .bound = 2, .of = s_item_keys, .add_map = s_add_item},
    {.name = "inner",
     .type = SCHEMA_MAP,
     .offset = offsetof (thing_t, inner),
     .of = s_inner_keys,
     .seen_offset = offsetof (thing_t, depth_given)},
    {.name = NULL}};

static int s_read (const char *text, size_t size, thing_t *thing, problem_t *problem)
{
    memset (thing, 0, sizeof *thing);
    problem->text[0] = '\0';
    return schema_read ("thing.yaml", text, size, s_keys, thing, problem);
}

START_TEST (every_type_is_read_into_its_place)
{
    static const char text[] = "# a comment\n"
                               "text: \"a: b\"\n"
                               "on: true\n"
                               "count: 64\n"
                               "any: 18446744073709551615\n"
                               "real: -2.5e-1\n"
                               "wait: 2s\n"
                               "room: 3KiB\n"
                               "colour: blue\n"
                               "words: [one, 'two', three]\n"
                               "items:\n"
                               "  - {name: a, count: 0}\n"
                               "  - name: b\n"
                               "inner:\n"
                               "  depth: 9\n";
    thing_t thing;
    problem_t problem;
    ck_assert_msg (s_read (text, sizeof text - 1, &thing, &problem) == 0, "%s", problem.text);
    ck_assert_str_eq (thing.text, "a: b");
    ck_assert (thing.on);
    ck_assert_uint_eq (thing.count, 64);
    ck_assert_uint_eq (thing.any, UINT64_MAX);
    ck_assert_double_eq (thing.real, -0.25);
    ck_assert_uint_eq (thing.wait_ms, 2000);
    ck_assert_uint_eq (thing.room_bytes, 3072);
    ck_assert_int_eq (thing.choice, 2);
    ck_assert_uint_eq (thing.word_count, 3);
    ck_assert_str_eq (thing.words[1], "two");
    ck_assert_uint_eq (thing.item_count, 2);
    ck_assert_str_eq (thing.items[1].name, "b");
    ck_assert_uint_eq (thing.inner.depth, 9);
    ck_assert (thing.depth_given);
}
END_TEST

START_TEST (what_is_not_given_keeps_its_default)
{
    thing_t thing = {.count = 7, .depth_given = false};
    problem_t problem;
    ck_assert_int_eq (schema_read ("thing.yaml", "text: x", 7, s_keys, &thing, &problem), 0);
    ck_assert_uint_eq (thing.count, 7);
    ck_assert (!thing.depth_given);
}
END_TEST

START_TEST (a_lone_text_is_a_list_of_one)
{
    static const char text[] = "text: x\nwords: one\n";
    thing_t thing;
    problem_t problem;
    ck_assert_int_eq (s_read (text, sizeof text - 1, &thing, &problem), 0);
    ck_assert_uint_eq (thing.word_count, 1);
}
END_TEST

/* A text and the whole problem that it must give. */
static const struct {
    const char *text;
    const char *problem;
} s_bad[] = {
    {"", "thing.yaml:1: found nothing, expected a map of keys and values"},
    {"# only a comment\n", "thing.yaml:1: found nothing, expected a map of keys and values"},
    {"text\n", "thing.yaml:1: found no key, expected a map of keys and values"},
    {"- text\n", "thing.yaml:1: found no key, expected a map of keys and values"},
    {"on: true\n", "thing.yaml:1: text: is missing, expected one line of text, 8 bytes at most"},
    {"text:\n", "thing.yaml:1: text: found nothing, expected one line of text, 8 bytes at most"},
    {"text: ~\n", "thing.yaml:1: text: found nothing, expected one line of text, 8 bytes at most"},
    {"text: 123456789\n",
     "thing.yaml:1: text: found \"123456789\", expected one line of text, 8 bytes at most"},
    {"text: \"a\\nb\"\n", "thing.yaml:1: text: found \"a?b\", expected one line of text, 8 bytes at most"},
    {"text: \"a\\x9bb\"\n", "thing.yaml:1: text: found \"a??b\", expected one line of text, 8 bytes at most"},
    {"text: \"a\\0b\"\n", "thing.yaml:1: text: found \"a?b\", expected one line of text, 8 bytes at most"},
    {"text: [x]\n", "thing.yaml:1: text: found a list, expected one line of text, 8 bytes at most"},
    {"text: {x: y}\n", "thing.yaml:1: text: found a map, expected one line of text, 8 bytes at most"},
    {"text: x\ntxt: y\n",
     "thing.yaml:2: found the unknown key \"txt\", expected text, on, count, any, real, wait, "
     "room, colour, words, items or inner"},
    {"text: x\n<<: {}\n",
     "thing.yaml:2: found the unknown key \"<<\", expected text, on, count, any, real, wait, "
     "room, colour, words, items or inner"},
    {"text: x\n\non: true\ntext: y\n",
     "thing.yaml:4: text: found a second time, expected once (it stands on line 1)"},
    {"text: x\n? [a]\n: b\n", "thing.yaml:2: found a list or map as a key, expected a name"},
    {"text: x\non: yes\n", "thing.yaml:2: on: found \"yes\", expected true or false"},
    {"text: x\non: True\n", "thing.yaml:2: on: found \"True\", expected true or false"},
    {"text: x\non: 'true'\n",
     "thing.yaml:2: on: found the text \"true\", expected true or false, without quotes"},
    {"text: x\ncount: 1\n", "thing.yaml:2: count: found \"1\", expected a whole number from 2 to 64"},
    {"text: x\ncount: 65\n", "thing.yaml:2: count: found \"65\", expected a whole number from 2 to 64"},
    {"text: x\ncount: -2\n", "thing.yaml:2: count: found \"-2\", expected a whole number from 2 to 64"},
    {"text: x\ncount: 2.0\n", "thing.yaml:2: count: found \"2.0\", expected a whole number from 2 to 64"},
    {"text: x\ncount: 0x10\n", "thing.yaml:2: count: found \"0x10\", expected a whole number from 2 to 64"},
    {"text: x\ncount: 010\n", "thing.yaml:2: count: found \"010\", expected a whole number from 2 to 64"},
    {"text: x\ncount: \"3\"\n",
     "thing.yaml:2: count: found the text \"3\", expected a whole number from 2 to 64, without quotes"},
    {"text: x\nany: 18446744073709551616\n",
     "thing.yaml:2: any: found \"18446744073709551616\", expected a whole number"},
    {"text: x\nreal: .nan\n", "thing.yaml:2: real: found \".nan\", expected a number from -1 to 1"},
    {"text: x\nreal: nan\n", "thing.yaml:2: real: found \"nan\", expected a number from -1 to 1"},
    {"text: x\nreal: inf\n", "thing.yaml:2: real: found \"inf\", expected a number from -1 to 1"},
    {"text: x\nreal: 0x1p-2\n", "thing.yaml:2: real: found \"0x1p-2\", expected a number from -1 to 1"},
    {"text: x\nreal: 1e\n", "thing.yaml:2: real: found \"1e\", expected a number from -1 to 1"},
    {"text: x\nreal: .\n", "thing.yaml:2: real: found \".\", expected a number from -1 to 1"},
    {"text: x\nreal: +-1\n", "thing.yaml:2: real: found \"+-1\", expected a number from -1 to 1"},
    {"text: x\nreal: 1e999\n", "thing.yaml:2: real: found \"1e999\", expected a number from -1 to 1"},
    {"text: x\nreal: 1.01\n", "thing.yaml:2: real: found \"1.01\", expected a number from -1 to 1"},
    {"text: x\nwait: 20parsecs\n",
     "thing.yaml:2: wait: found \"20parsecs\", expected a duration such as 500ms, "
     "20s, 2m or 1h from 100ms to 1m"},
    {"text: x\nwait: 20\n",
     "thing.yaml:2: wait: found \"20\", expected a duration such as 500ms, 20s, 2m or 1h from 100ms to 1m"},
    {"text: x\nwait: 2h\n",
     "thing.yaml:2: wait: found \"2h\", expected a duration such as 500ms, 20s, 2m or 1h from 100ms to 1m"},
    {"text: x\nroom: 512MB\n",
     "thing.yaml:2: room: found \"512MB\", expected a size such as 64KiB, 512MiB or 2GiB"},
    {"text: x\ncolour: mauve\n", "thing.yaml:2: colour: found \"mauve\", expected red, green or blue"},
    {"text: x\nwords: []\n", "thing.yaml:2: words: found 0 items, expected 1 at least"},
    {"text: x\nwords: [a, b,\n c, d]\n", "thing.yaml:3: words[3]: found one more item, expected 3 at most"},
    {"text: x\nwords:\n- a\n- 123456789\n",
     "thing.yaml:4: words[1]: found \"123456789\", expected 8 bytes at most"},
    {"text: x\nwords: [[a]]\n", "thing.yaml:2: words[0]: found a list, expected a list of texts"},
    {"text: x\nwords: {a: b}\n", "thing.yaml:2: words: found a map, expected a list of texts"},
    {"text: x\nitems: a\n",
     "thing.yaml:2: items: found \"a\", expected a list of items with the keys name or count"},
    {"text: x\nitems: [a]\n",
     "thing.yaml:2: items[0]: found \"a\", expected a list of items with the keys name or count"},
    {"text: x\nitems:\n- {name: a}\n- {count: 1}\n",
     "thing.yaml:4: items[1].name: is missing, expected a small name"},
    {"text: x\nitems:\n- {name: A}\n", "thing.yaml:3: items[0].name: found \"A\", expected a small name"},
    {"text: x\nitems:\n- {name: a}\n- {name: b}\n- {name: c}\n",
     "thing.yaml:5: items[2]: found one more item, expected 2 at most"},
    {"text: x\ninner: 3\n", "thing.yaml:2: inner: found \"3\", expected keys of its own: depth"},
    {"text: x\ninner:\n  width: 3\n", "thing.yaml:3: inner: found the unknown key \"width\", expected depth"},
    {"text: x\ninner:\n  depth: 10\n",
     "thing.yaml:3: inner.depth: found \"10\", expected a whole number from 1 to 9"},
    {"text: &a x\n", "thing.yaml:1: text: found an anchor (&), expected a plain value"},
    {"text: *a\n", "thing.yaml:1: text: found an alias (*), expected the value itself"},
    {"text: !!str x\n", "thing.yaml:1: text: found a tag (!), expected a plain value"},
    {"text: x\nwords: &w [a]\n", "thing.yaml:2: words: found an anchor (&), expected a plain value"},
    {"text: x\n--- \ntext: y\n", "thing.yaml:2: found a second document, expected one"},
    {"%YAML 1.1\n---\ntext: x\n", "thing.yaml:1: found a directive (%), expected none"},
    {"text: x\n  on: [\n",
     "thing.yaml:2: found malformed YAML (mapping values are not allowed in this context), "
     "expected a map of keys and values"},
    {"text: x\nwords: [a\n",
     "thing.yaml:3: found malformed YAML (while parsing a flow sequence: did not find "
     "expected ',' or ']'), expected a map of keys and values"},
    {"text: x\non: \xff\n",
     "thing.yaml:2: found malformed YAML (invalid leading UTF-8 octet), expected a map of keys and values"},
};

START_TEST (a_problem_names_line_key_found_and_expected)
{
    thing_t thing;
    problem_t problem;
    ck_assert_int_eq (s_read (s_bad[_i].text, strlen (s_bad[_i].text), &thing, &problem), -1);
    ck_assert_str_eq (problem.text, s_bad[_i].problem);
}
END_TEST

START_TEST (a_text_cut_anywhere_or_with_any_byte_changed_never_crashes)
{
    static const char good[] =
        "text: \"a\"\nitems:\n- {name: a, count: 3}\nwords: ['x', y]\ninner: {depth: 1}\n";
    char text[sizeof good];
    thing_t thing;
    problem_t problem;
    ck_assert_int_eq (s_read (good, sizeof good - 1, &thing, &problem), 0);
    for (size_t i = 0; i < sizeof good; i++) {
        int status = s_read (good, i, &thing, &problem);
        ck_assert (status == 0 || strncmp (problem.text, "thing.yaml:", 11) == 0);
    }
    for (size_t i = 0; i + 1 < sizeof good; i++)
        for (unsigned byte = 0; byte < 256; byte += 3) {
            memcpy (text, good, sizeof good);
            text[i] = (char)byte;
            int status = s_read (text, sizeof good - 1, &thing, &problem);
            ck_assert (status == 0 || strncmp (problem.text, "thing.yaml:", 11) == 0);
        }
}
END_TEST

START_TEST (a_text_beyond_the_bound_is_refused)
{
    static char text[SCHEMA_FILE_BYTES + 1];
    memset (text, '\n', sizeof text);
    memcpy (text, "text: x", 7);
    thing_t thing;
    problem_t problem;
    ck_assert_int_eq (s_read (text, SCHEMA_FILE_BYTES, &thing, &problem), 0);
    ck_assert_int_eq (s_read (text, SCHEMA_FILE_BYTES + 1, &thing, &problem), -1);
    ck_assert_str_eq (problem.text, "thing.yaml: found 65537 bytes, expected 65536 at most");
}
END_TEST

START_TEST (quantities_have_exact_units)
{
    static const struct {
        const char *text;
        int status;
        uint64_t value;
    } durations[] = {{"0ms", 0, 0},
                     {"1ms", 0, 1},
                     {"20s", 0, 20000},
                     {"2m", 0, 120000},
                     {"1h", 0, 3600000},
                     {"20parsecs", -1, 0},
                     {"20", -1, 0},
                     {"s", -1, 0},
                     {"", -1, 0},
                     {"20 s", -1, 0},
                     {" 20s", -1, 0},
                     {"20S", -1, 0},
                     {"-1s", -1, 0},
                     {"+1s", -1, 0},
                     {"1.5s", -1, 0},
                     {"020s", -1, 0},
                     {"20sec", -1, 0},
                     {"18446744073709551615ms", 0, UINT64_MAX},
                     {"18446744073709551616ms", -1, 0},
                     {"18446744073709552s", -1, 0}},
      sizes[] = {{"1B", 0, 1},
                 {"64KiB", 0, 65536},
                 {"512MiB", 0, 536870912},
                 {"2GiB", 0, 2147483648},
                 {"17179869183GiB", 0, UINT64_C (17179869183) << 30},
                 {"17179869184GiB", -1, 0},
                 {"1KB", -1, 0},
                 {"1kib", -1, 0},
                 {"1", -1, 0},
                 {"MiB", -1, 0}};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        uint64_t value = 0;
        ck_assert_int_eq (schema_duration_ms (durations[i].text, &value), durations[i].status);
        ck_assert_uint_eq (value, durations[i].value);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t value = 0;
        ck_assert_int_eq (schema_bytes (sizes[i].text, &value), sizes[i].status);
        ck_assert_uint_eq (value, sizes[i].value);
    }
}
END_TEST

START_TEST (a_later_check_finds_the_line_again)
{
    static const char text[] = "text: x\nitems:\n- {name: a}\n- count: 1\n  name: b\ninner: {depth: 1}\n";
    static const struct {
        const char *path;
        const char *problem;
    } cases[] = {{"text", "t:1: text: no"},
                 {"items", "t:3: items: no"},
                 {"items[0].name", "t:3: items[0].name: no"},
                 {"items[1]", "t:4: items[1]: no"},
                 {"items[1].name", "t:5: items[1].name: no"},
                 {"inner.depth", "t:6: inner.depth: no"},
                 {"items[2].name", "t:1: items[2].name: no"},
                 {"other", "t:1: other: no"}};
    problem_t problem;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq (schema_problem ("t", text, sizeof text - 1, cases[i].path, &problem, "%s", "no"),
                          -1);
        ck_assert_str_eq (problem.text, cases[i].problem);
    }
}
END_TEST

START_TEST (a_quoted_text_is_short_and_safe_to_show)
{
    char quoted[SCHEMA_QUOTE_BYTES], long_text[200];
    schema_quote ("a\x1b[31m\xc2\x9b\xff\xe2\x82\xac\xc3", 12, quoted);
    ck_assert_str_eq (quoted, "\"a?[31m???\xe2\x82\xac\"");
    memset (long_text, 'x', sizeof long_text);
    schema_quote (long_text, sizeof long_text, quoted);
    ck_assert_uint_le (strlen (quoted), SCHEMA_QUOTE_BYTES - 1);
    ck_assert_ptr_nonnull (strstr (quoted, "x…\""));
    for (size_t i = 0; i + 1 < sizeof long_text; i += 2)
        memcpy (long_text + i, "ö", 2);
    schema_quote (long_text, sizeof long_text, quoted);
    ck_assert_ptr_nonnull (strstr (quoted, "ö…\""));
    schema_quote ("", 0, quoted);
    ck_assert_str_eq (quoted, "\"\"");
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("schema");
    TCase *tcase = tcase_create ("schema");
    tcase_add_test (tcase, every_type_is_read_into_its_place);
    tcase_add_test (tcase, what_is_not_given_keeps_its_default);
    tcase_add_test (tcase, a_lone_text_is_a_list_of_one);
    tcase_add_loop_test (tcase, a_problem_names_line_key_found_and_expected, 0,
                         (int)(sizeof s_bad / sizeof *s_bad));
    tcase_add_test (tcase, a_text_cut_anywhere_or_with_any_byte_changed_never_crashes);
    tcase_add_test (tcase, a_text_beyond_the_bound_is_refused);
    tcase_add_test (tcase, quantities_have_exact_units);
    tcase_add_test (tcase, a_later_check_finds_the_line_again);
    tcase_add_test (tcase, a_quoted_text_is_short_and_safe_to_show);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
