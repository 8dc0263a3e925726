/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/keystore.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#include <dirent.h>

static scratch_t s_scratch (void)
{
    unsetenv ("EVOMESH_PASSPHRASE_FILE");
    return scratch_new ();
}

static keystore_t *s_create (const scratch_t *scratch, const char *passphrase_file)
{
    problem_t problem = {""};
    keystore_t *keystore = keystore_create (scratch->path, passphrase_file, &problem);
    ck_assert_msg (keystore != NULL, "%s", problem.text);
    return keystore;
}

static void s_expect_refused (const scratch_t *scratch, const char *passphrase_file, const char *reason)
{
    problem_t problem = {""};
    ck_assert_ptr_null (keystore_load (scratch->path, passphrase_file, &problem));
    ck_assert_msg (strstr (problem.text, reason) != NULL, "expected '%s' in: %s", reason, problem.text);
}

/* Loads, and fails unless the keys are those of `expected`, which is destroyed. */
static void s_expect_loads (const scratch_t *scratch, const char *passphrase_file, keystore_t *expected)
{
    problem_t problem = {""};
    keystore_t *keystore = keystore_load (scratch->path, passphrase_file, &problem);
    ck_assert_msg (keystore != NULL, "%s", problem.text);
    ck_assert_mem_eq (keystore_identity (keystore), keystore_identity (expected), sizeof (identity_t));
    ck_assert_mem_eq (keystore_curve (keystore), keystore_curve (expected), sizeof (curve_t));
    keystore_destroy (&keystore);
    ck_assert_ptr_null (keystore);
    keystore_destroy (&expected);
}

START_TEST (test_new_keys_are_their_own_and_come_back)
{
    scratch_t one = s_scratch (), two = s_scratch ();
    keystore_t *first = s_create (&one, NULL), *second = s_create (&two, NULL);
    ck_assert (!pubkey_equal (&keystore_identity (first)->id, &keystore_identity (second)->id));
    ck_assert (!pubkey_equal (&keystore_curve (first)->public_key, &keystore_curve (second)->public_key));
    uint8_t signature[SIGNATURE_BYTES];
    identity_sign (keystore_identity (first), "x", 1, signature);
    ck_assert (identity_verify (&keystore_identity (first)->id, "x", 1, signature));
    struct stat status;
    ck_assert_int_eq (stat (scratch_path (&one, "identity").text, &status), 0);
    ck_assert_uint_eq (status.st_mode & 07777, 0600);
    s_expect_loads (&one, NULL, first);
    s_expect_loads (&two, NULL, second);
    scratch_remove (&one);
    scratch_remove (&two);
}
END_TEST

START_TEST (test_keys_are_never_replaced)
{
    scratch_t scratch = s_scratch ();
    keystore_t *keystore = s_create (&scratch, NULL);
    problem_t problem = {""};
    ck_assert_ptr_null (keystore_create (scratch.path, NULL, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "never replaced"));
    s_expect_loads (&scratch, NULL, keystore);
    size_t names = 0; /* nothing half-written is left beside it */
    DIR *listing = opendir (scratch.path);
    ck_assert_ptr_nonnull (listing);
    for (struct dirent *entry = readdir (listing); entry != NULL; entry = readdir (listing))
        names += entry->d_name[0] != '.';
    closedir (listing);
    ck_assert_uint_eq (names, 1);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_key_that_others_may_use_is_refused)
{
    scratch_t scratch = s_scratch ();
    keystore_t *keystore = s_create (&scratch, NULL);
    scratch_path_t path = scratch_path (&scratch, "identity");
    static const mode_t wide[] = {0604, 0640, 0620, 0644, 0601, 0777};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        ck_assert_int_eq (chmod (path.text, wide[i]), 0);
        s_expect_refused (&scratch, NULL, "chmod 600");
    }
    ck_assert_int_eq (chmod (path.text, 0400), 0);
    s_expect_loads (&scratch, NULL, keystore);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_what_is_no_key_file_is_refused)
{
    scratch_t scratch = s_scratch ();
    scratch_path_t path = scratch_path (&scratch, "identity");
    s_expect_refused (&scratch, NULL, "evomesh init");
    umask (077);
    scratch_write (&scratch, "identity", "");
    s_expect_refused (&scratch, NULL, "not a key file");
    scratch_write (&scratch, "identity", "-----BEGIN OPENSSH PRIVATE KEY-----");
    s_expect_refused (&scratch, NULL, "not a key file");
    char large[1000] = {0};
    scratch_write_bytes (&scratch, "identity", large, sizeof large);
    s_expect_refused (&scratch, NULL, "too large");
    ck_assert_int_eq (rename (path.text, scratch_path (&scratch, "elsewhere").text), 0);
    ck_assert_int_eq (symlink ("elsewhere", path.text), 0);
    s_expect_refused (&scratch, NULL, "can't be opened");
    ck_assert_int_eq (unlink (path.text), 0);
    ck_assert_int_eq (mkfifo (path.text, 0600), 0);
    s_expect_refused (&scratch, NULL, "regular file"); /* and does not wait for a writer */
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_damaged_file_is_noticed)
{
    scratch_t scratch = s_scratch ();
    keystore_t *keystore = s_create (&scratch, NULL);
    scratch_path_t path = scratch_path (&scratch, "identity");
    FILE *file = fopen (path.text, "r+b");
    ck_assert_ptr_nonnull (file);
    ck_assert_int_eq (fseek (file, 20, SEEK_SET), 0);
    int byte = fgetc (file);
    ck_assert_int_eq (fseek (file, 20, SEEK_SET), 0);
    ck_assert_int_eq (fputc (byte ^ 1, file), byte ^ 1);
    ck_assert_int_eq (fclose (file), 0);
    s_expect_refused (&scratch, NULL, "damaged");
    keystore_destroy (&keystore);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_passphrase_locks_the_file)
{
    scratch_t scratch = s_scratch ();
    scratch_write (&scratch, "right", "correct horse battery staple\nsecond line\n");
    scratch_write (&scratch, "wrong", "correct horse battery stable\n");
    scratch_write (&scratch, "empty", "\n");
    scratch_path_t right = scratch_path (&scratch, "right"), wrong = scratch_path (&scratch, "wrong"),
                   empty = scratch_path (&scratch, "empty"), missing = scratch_path (&scratch, "missing");
    keystore_t *keystore = s_create (&scratch, right.text);
    s_expect_refused (&scratch, NULL, "EVOMESH_PASSPHRASE_FILE");
    s_expect_refused (&scratch, wrong.text, "wrong passphrase");
    s_expect_refused (&scratch, empty.text, "empty");
    s_expect_refused (&scratch, missing.text, "can't be read");
    setenv ("EVOMESH_PASSPHRASE_FILE", wrong.text, 1);
    s_expect_refused (&scratch, NULL, "wrong passphrase");
    setenv ("EVOMESH_PASSPHRASE_FILE", right.text, 1);
    s_expect_loads (&scratch, NULL, keystore);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_passphrase_at_the_bound_is_taken_and_one_beyond_is_not)
{
    scratch_t scratch = s_scratch ();
    char text[1026];
    memset (text, 'p', sizeof text);
    text[1025] = '\0';
    scratch_write (&scratch, "long", text);
    problem_t problem = {""};
    ck_assert_ptr_null (keystore_create (scratch.path, scratch_path (&scratch, "long").text, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "longer than 1024"));
    ck_assert_int_eq (access (scratch_path (&scratch, "identity").text, F_OK), -1);
    text[1024] = '\0';
    scratch_write (&scratch, "long", text);
    keystore_t *keystore = s_create (&scratch, scratch_path (&scratch, "long").text);
    s_expect_loads (&scratch, scratch_path (&scratch, "long").text, keystore);
    scratch_remove (&scratch);
}
END_TEST

/* The kernel's flags of the mapping that holds `address`, e.g. " rd wr mr mw me lo dd". */
static void s_mapping_flags (const void *address, char flags[512])
{
    FILE *file = fopen ("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    ck_assert_ptr_nonnull (file);
    flags[0] = '\0';
    while (fgets (line, sizeof line, file) != NULL) {
        unsigned long start, end;
        if (sscanf (line, "%lx-%lx ", &start, &end) == 2)
            inside = (unsigned long)address >= start && (unsigned long)address < end;
        else if (inside && strncmp (line, "VmFlags:", 8) == 0)
            snprintf (flags, 512, "%s", line + 8);
    }
    fclose (file);
    ck_assert_str_ne (flags, "");
}

START_TEST (test_keys_stay_out_of_core_dumps_and_swap)
{
    scratch_t scratch = s_scratch ();
    keystore_t *keystore = s_create (&scratch, NULL);
    char flags[512];
    s_mapping_flags (keystore_identity (keystore), flags);
    ck_assert_ptr_nonnull (strstr (flags, " dd"));
#ifndef __SANITIZE_ADDRESS__ /* which makes mlock do nothing */
    ck_assert_int_eq (strstr (flags, " lo") != NULL, keystore_is_locked_in_memory (keystore));
#endif
    keystore_destroy (&keystore);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_random_bytes_differ)
{
    uint8_t one[32], two[32], none[32] = {0};
    keystore_random (one, sizeof one);
    keystore_random (two, sizeof two);
    ck_assert_mem_ne (one, two, sizeof one);
    ck_assert_mem_ne (one, none, sizeof one);
}
END_TEST

SUITE_MAIN ("io/keystore", test_new_keys_are_their_own_and_come_back, test_keys_are_never_replaced,
            test_a_key_that_others_may_use_is_refused, test_what_is_no_key_file_is_refused,
            test_a_damaged_file_is_noticed, test_a_passphrase_locks_the_file,
            test_a_passphrase_at_the_bound_is_taken_and_one_beyond_is_not,
            test_keys_stay_out_of_core_dumps_and_swap, test_random_bytes_differ)
