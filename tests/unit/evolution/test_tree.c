/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tree.h"
#include "crypto/random.h"
#include "tests/lib/suite.h"

#include <stdio.h>

static const digest_t s_evaluator = {{0xee}};

static void s_add (tree_t *tree, const char *path, const char *content)
{
    digest_t digest = digest_of (content, strlen (content));
    ck_assert_int_eq (tree_add (tree, path, false, &digest, strlen (content)), 0);
}

static int s_try (tree_t *tree, const char *path)
{
    digest_t digest = digest_of ("x", 1);
    return tree_add (tree, path, false, &digest, 1);
}

/* A path of `size` characters. */
static const char *s_path_of (size_t size, char buffer[2 * LIMIT_PATH])
{
    memset (buffer, 'p', size);
    buffer[size] = '\0';
    return buffer;
}

START_TEST (test_files_are_sorted_bytewise_whatever_order_they_come_in)
{
    static const char *const paths[] = {"b", "a/z", "a-b", "Z", "a.c", "ab", "é"};
    static const char *const sorted[] = {"Z", "a-b", "a.c", "a/z", "ab", "b", "é"};
    enum { COUNT = sizeof paths / sizeof *paths };
    for (size_t start = 0; start < COUNT; start++) {
        tree_t tree = {NULL, 0};
        for (size_t i = 0; i < COUNT; i++)
            s_add (&tree, paths[(start + i * 3) % COUNT], "x");
        ck_assert_uint_eq (tree.count, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            ck_assert_str_eq (tree.files[i].path, sorted[i]);
            ck_assert_ptr_eq (tree_find (&tree, sorted[i]), &tree.files[i]);
        }
        ck_assert_ptr_null (tree_find (&tree, "a"));
        tree_clear (&tree);
    }
}
END_TEST

START_TEST (test_paths_that_lead_elsewhere_are_refused)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/etc/passwd",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "./a",
                                      "a/.",
                                      "a/..",
                                      "a/../b",
                                      "../a",
                                      ".git",
                                      ".GIT/hooks/x",
                                      "a/.Git/config",
                                      ".evomesh",
                                      "a/.evomesh-note",
                                      ".Evomesh/x",
                                      "a\nb",
                                      "a\x7f",
                                      "\x01",
                                      "a\xc2\x80",
                                      "a\xc2\x9b"
                                      "31m",
                                      "\xc2\x9f/b",
                                      "\xff",
                                      "a\xc0\xaf",
                                      "\xed\xa0\x80",
                                      "\xf5\x80\x80\x80",
                                      "a\xc3"};
    static const char *const good[] = {
        "a",      ".gitignore",       "a/...", "..a",     ".github/x", "a b", "\\",
        "日本.c", "\xf0\x9f\x99\x82", ".evo",  "\xc2\xa0"};
    tree_t tree = {NULL, 0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg (!tree_path_valid (bad[i]), "accepted: %s", bad[i]);
        ck_assert_int_eq (s_try (&tree, bad[i]), ERROR_INPUT);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg (tree_path_valid (good[i]), "refused: %s", good[i]);
    ck_assert_uint_eq (tree.count, 0);
}
END_TEST

START_TEST (test_a_path_is_there_once_and_not_file_and_directory_at_once)
{
    tree_t tree = {NULL, 0};
    s_add (&tree, "a/b/c", "1");
    s_add (&tree, "a-", "2");
    s_add (&tree, "f", "3");
    ck_assert_int_eq (s_try (&tree, "a/b/c"), ERROR_INPUT);
    ck_assert_int_eq (s_try (&tree, "a"), ERROR_INPUT);
    ck_assert_int_eq (s_try (&tree, "a/b"), ERROR_INPUT);
    ck_assert_int_eq (s_try (&tree, "a/b/c/d"), ERROR_INPUT);
    ck_assert_int_eq (s_try (&tree, "f/g/h"), ERROR_INPUT);
    ck_assert_int_eq (s_try (&tree, "a/bc"), 0);
    ck_assert_uint_eq (tree.count, 4);
    tree_clear (&tree);
}
END_TEST

START_TEST (test_bounds_hold_exactly)
{
    char buffer[2 * LIMIT_PATH];
    tree_t tree = {NULL, 0};
    digest_t digest = digest_of ("x", 1);
    ck_assert_int_eq (s_try (&tree, s_path_of (LIMIT_PATH, buffer)), 0);
    ck_assert_int_eq (s_try (&tree, s_path_of (LIMIT_PATH + 1, buffer)), ERROR_INPUT);
    ck_assert_int_eq (tree_add (&tree, "large", false, &digest, LIMIT_CONTENT_BYTES), 0);
    ck_assert_int_eq (tree_add (&tree, "larger", false, &digest, LIMIT_CONTENT_BYTES + 1), ERROR_BOUND);
    while (tree.count < LIMIT_FILES) {
        snprintf (buffer, sizeof buffer, "%zu", tree.count);
        s_add (&tree, buffer, "x");
    }
    ck_assert_int_eq (s_try (&tree, "one more"), ERROR_BOUND);

    size_t size;
    uint8_t *bytes = tree_encode (&tree, &s_evaluator, &size);
    tree_t back;
    digest_t evaluator;
    ck_assert_ptr_nonnull (bytes);
    ck_assert_int_eq (tree_decode (bytes, size, &back, &evaluator), 0);
    ck_assert (tree_equal (&tree, &back));
    free (bytes);
    tree_clear (&back);
    tree_clear (&tree);
}
END_TEST

/* python3: msgpack.packb ([b"\xee" + bytes (31), [["a.c", 1, blake2b ("one"), 3], ["lib/b.c", 0, blake2b ("x" * 300), 300]]]) */
START_TEST (test_golden_bytes)
{
    tree_t tree = {NULL, 0};
    char text[301];
    memset (text, 'x', 300);
    text[300] = '\0';
    s_add (&tree, "lib/b.c", text);
    digest_t digest = digest_of ("one", 3);
    ck_assert_int_eq (tree_add (&tree, "a.c", true, &digest, 3), 0);
    size_t size;
    uint8_t *bytes = tree_encode (&tree, &s_evaluator, &size);
    ck_assert_ptr_nonnull (bytes);
    suite_expect_hex (
        bytes, size,
        "92c420ee000000000000000000000000000000000000000000000000000000000000009294a3612e6301c420d01c"
        "06cb09606bc4b2cedf4266a3a20e1e636b467cb77a9dbed595094e02ea460394a76c69622f622e6300c4205aa7fb"
        "bf37986bb2a5d547c0d3c4d4326a24d786e7d57bf93fc784176e38b33dcd012c");
    digest_t id = tree_id (&tree, &s_evaluator), expected = digest_of (bytes, size);
    ck_assert (digest_equal (&id, &expected));
    free (bytes);
    tree_clear (&tree);
}
END_TEST

START_TEST (test_the_id_depends_on_everything_that_counts)
{
    tree_t base = {NULL, 0}, other = {NULL, 0};
    s_add (&base, "a", "1");
    digest_t content = base.files[0].content, id = tree_id (&base, &s_evaluator), zero = {{0}};
    digest_t changed = tree_id (&base, &zero);
    ck_assert (!digest_equal (&id, &changed));
    struct {
        const char *path;
        bool executable;
        uint64_t size;
        uint8_t flip;
    } cases[] = {
        {"b", false, 1, 0}, {"a", true, 1, 0}, {"a", false, 2, 0}, {"a", false, 1, 1}, {"a", false, 1, 0}};
    for (size_t i = 0; i < 5; i++) {
        digest_t flipped = content;
        flipped.bytes[31] ^= cases[i].flip;
        ck_assert_int_eq (tree_add (&other, cases[i].path, cases[i].executable, &flipped, cases[i].size), 0);
        changed = tree_id (&other, &s_evaluator);
        ck_assert_int_eq (digest_equal (&id, &changed), i == 4);
        ck_assert_int_eq (tree_equal (&base, &other), i == 4);
        tree_clear (&other);
    }
    tree_clear (&base);
}
END_TEST

/* Whatever bytes are read as a tree are the only bytes that give that tree. */
START_TEST (test_bytes_are_refused_or_exact)
{
    tree_t tree = {NULL, 0}, back;
    digest_t evaluator;
    for (unsigned i = 0; i < 20; i++) {
        char path[64];
        snprintf (path, sizeof path, "directory with a long name %u/file", i * 7 % 20);
        digest_t digest = digest_of (path, sizeof path);
        ck_assert_int_eq (tree_add (&tree, path, i % 2 == 0, &digest, (uint64_t)i * i * i * i), 0);
    }
    size_t size;
    uint8_t *bytes = tree_encode (&tree, &s_evaluator, &size);
    ck_assert_ptr_nonnull (bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = malloc (cut + 1); /* its own block, so that reading beyond is noticed */
        ck_assert_ptr_nonnull (part);
        memcpy (part, bytes, cut);
        ck_assert_int_eq (tree_decode (part, cut, &back, &evaluator), ERROR_MALFORMED);
        ck_assert_ptr_null (back.files);
        free (part);
    }
    random_t random;
    random_init_number (&random, 1);
    unsigned accepted = 0;
    for (unsigned round = 0; round < 3000; round++) {
        size_t at = (size_t)random_below (&random, size);
        uint8_t before = bytes[at];
        bytes[at] = (uint8_t)random_u64 (&random);
        if (tree_decode (bytes, size, &back, &evaluator) == 0) {
            size_t again_size;
            uint8_t *again = tree_encode (&back, &evaluator, &again_size);
            ck_assert_uint_eq (again_size, size);
            ck_assert_mem_eq (again, bytes, size);
            free (again);
            tree_clear (&back);
            accepted++;
        }
        bytes[at] = before;
    }
    ck_assert_uint_gt (accepted, 0);
    ck_assert_uint_lt (accepted, 3000);
    free (bytes);
    tree_clear (&tree);
}
END_TEST

/* Hex, with @ for the 34 bytes of a digest, into bytes. */
static size_t s_bytes_of (const char *text, uint8_t *bytes)
{
    static const uint8_t digest[34] = {0xc4, 32};
    size_t size = 0;
    for (; *text != '\0'; text += *text == '@' ? 1 : 2) {
        char pair[3] = {text[0], text[1], '\0'};
        if (*text == '@') {
            memcpy (bytes + size, digest, sizeof digest);
            size += sizeof digest;
        } else {
            size += suite_unhex (pair, bytes + size);
        }
    }
    return size;
}

START_TEST (test_other_forms_of_the_same_tree_are_refused)
{
    static const char good[] = "92@9194a16100@01";
    static const char *const bodies[] = {
        "92@91a4",                     /* a count as text */
        "92@9194a16100@cc01",          /* a size of 1 in two bytes */
        "92@9194d9016100@01",          /* a short path in the long form */
        "92@dc000194a16100@01",        /* a short list in the long form */
        "92@9294a16200@0194a16100@01", /* not in order */
        "92@9294a16100@0194a16100@01", /* twice the same */
        "92@9194a16102@01",            /* neither 0 nor 1 */
        "92@9194a161c2@01",            /* a boolean */
        "92@9194a10000@01",            /* a NUL in the path */
        "92@9194a22e2e00@01",          /* ".." */
        "92@9194a16100@01c0",          /* something behind it */
        "92@dcffff94a16100@01",        /* a count beyond what is there */
    };
    for (size_t i = 0; i <= sizeof bodies / sizeof *bodies; i++) {
        uint8_t bytes[512];
        size_t size = s_bytes_of (i == 0 ? good : bodies[i - 1], bytes);
        tree_t tree;
        digest_t id;
        ck_assert_int_eq (tree_decode (bytes, size, &tree, &id), i == 0 ? 0 : ERROR_MALFORMED);
        tree_clear (&tree);
    }
}
END_TEST

START_TEST (test_a_copy_is_its_own)
{
    tree_t tree = {NULL, 0}, copy = {NULL, 0}, empty = {NULL, 0};
    ck_assert_int_eq (tree_copy (&copy, &empty), 0);
    ck_assert (tree_equal (&copy, &empty));
    for (char path[2] = "a"; path[0] < 'm'; path[0]++) {
        s_add (&tree, path, "x");
        ck_assert_int_eq (tree_copy (&copy, &tree), 0);
        ck_assert (tree_equal (&copy, &tree));
        s_add (&copy, "z", "only here");
        ck_assert (!tree_equal (&copy, &tree));
        ck_assert_ptr_null (tree_find (&tree, "z"));
        tree_clear (&copy);
    }
    tree_clear (&tree);
}
END_TEST

typedef struct {
    char text[256];
} log_t;

static void s_log (void *context, const tree_file_t *old, const tree_file_t *fresh)
{
    log_t *log = context;
    size_t size = strlen (log->text);
    snprintf (log->text + size, sizeof log->text - size, "%s%s ",
              old == NULL     ? "+"
              : fresh == NULL ? "-"
                              : "*",
              (old == NULL ? fresh : old)->path);
}

START_TEST (test_a_diff_names_each_difference_once_in_order)
{
    tree_t old = {NULL, 0}, fresh = {NULL, 0};
    s_add (&old, "a", "1");
    s_add (&old, "b", "1");
    s_add (&old, "d", "1");
    s_add (&old, "e", "1");
    s_add (&fresh, "b", "2");
    s_add (&fresh, "c", "1");
    s_add (&fresh, "d", "1");
    digest_t one = digest_of ("1", 1);
    ck_assert_int_eq (tree_add (&fresh, "e", true, &one, 1), 0);
    s_add (&fresh, "f", "1");
    log_t log = {""};
    tree_diff (&old, &fresh, s_log, &log);
    ck_assert_str_eq (log.text, "-a *b +c *e +f ");
    log.text[0] = '\0';
    tree_diff (&fresh, &fresh, s_log, &log);
    ck_assert_str_eq (log.text, "");
    tree_clear (&old);
    tree_clear (&fresh);
}
END_TEST

static void s_one_file (tree_t *tree, const char *path, bool executable, uint64_t size)
{
    digest_t content = digest_of (&size, sizeof size);
    tree_clear (tree);
    ck_assert_int_eq (tree_add (tree, path, executable, &content, size), 0);
}

START_TEST (the_same_shape_is_the_same_paths_and_modes_and_no_file_too_large)
{
    tree_t live = {0}, candidate = {0};
    s_one_file (&live, "a.c", false, 10);
    s_one_file (&candidate, "a.c", false, LIMIT_FILE_BYTES);
    ck_assert (tree_same_shape (&candidate, &live));
    s_one_file (&candidate, "a.c", false, LIMIT_FILE_BYTES + 1);
    ck_assert (!tree_same_shape (&candidate, &live));
    s_one_file (&candidate, "a.c", true, 10);
    ck_assert (!tree_same_shape (&candidate, &live));
    s_one_file (&candidate, "b.c", false, 10);
    ck_assert (!tree_same_shape (&candidate, &live));
    digest_t content = {{1}};
    s_one_file (&candidate, "a.c", false, 10);
    ck_assert_int_eq (tree_add (&candidate, "b.c", false, &content, 1), 0);
    ck_assert (!tree_same_shape (&candidate, &live));
    ck_assert (!tree_same_shape (&live, &candidate));
    tree_clear (&live);
    tree_clear (&candidate);
}
END_TEST

START_TEST (one_tree_is_added_to_another_in_order_up_to_a_path_that_is_there)
{
    tree_t tree = {NULL, 0}, more = {NULL, 0};
    digest_t digest = digest_of ("x", 1);
    s_add (&tree, "b", "own");
    ck_assert_int_eq (tree_add_all (&tree, &more), 0);
    ck_assert_uint_eq (tree.count, 1);
    ck_assert_int_eq (tree_add (&more, "a", true, &digest, 7), 0);
    s_add (&more, "c", "c");
    ck_assert_int_eq (tree_add_all (&tree, &more), 0);
    ck_assert_uint_eq (tree.count, 3);
    ck_assert_str_eq (tree.files[0].path, "a");
    ck_assert (tree.files[0].executable && tree.files[0].size == 7);
    ck_assert (digest_equal (&tree.files[0].content, &digest));
    ck_assert_str_eq (tree.files[2].path, "c");
    ck_assert_uint_eq (more.count, 2);
    tree_clear (&more);
    s_add (&more, "a2", "new");
    s_add (&more, "b", "theirs");
    s_add (&more, "d", "new");
    ck_assert_int_eq (tree_add_all (&tree, &more), ERROR_INPUT);
    ck_assert_ptr_nonnull (tree_find (&tree, "a2"));
    ck_assert_uint_eq (tree_find (&tree, "b")->size, strlen ("own"));
    ck_assert_ptr_null (tree_find (&tree, "d"));
    tree_clear (&tree);
    tree_clear (&more);
}
END_TEST

SUITE_MAIN ("evolution/tree", test_files_are_sorted_bytewise_whatever_order_they_come_in,
            test_paths_that_lead_elsewhere_are_refused,
            test_a_path_is_there_once_and_not_file_and_directory_at_once, test_bounds_hold_exactly,
            test_golden_bytes, test_the_id_depends_on_everything_that_counts, test_bytes_are_refused_or_exact,
            test_other_forms_of_the_same_tree_are_refused, test_a_copy_is_its_own,
            one_tree_is_added_to_another_in_order_up_to_a_path_that_is_there,
            test_a_diff_names_each_difference_once_in_order,
            the_same_shape_is_the_same_paths_and_modes_and_no_file_too_large)
