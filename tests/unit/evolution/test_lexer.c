/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/lexer.h"
#include "tests/lib/suite.h"

#include <stdio.h>

/* The tokens of a text, one letter each: w word, n number, o odd, s string, c comment, r range, else the character. */
static const char *s_kinds (const char *text, comment_family_t family, char kinds[64])
{
    lexer_t lexer;
    size_t count = 0, at = 0;
    lexer_init (&lexer, text, 0, strlen (text), family);
    for (token_t token = lexer_next (&lexer); token.kind != TOKEN_END; token = lexer_next (&lexer)) {
        ck_assert_uint_ge (token.offset, at);
        ck_assert_uint_gt (token.length, 0);
        at = token.offset + token.length;
        ck_assert_uint_le (at, strlen (text));
        kinds[count++] = token.kind == TOKEN_OTHER ? text[token.offset] : "?wnoscr"[token.kind];
        ck_assert_uint_lt (count, 64);
    }
    kinds[count] = '\0';
    return kinds;
}

START_TEST (test_tokens_of_many_languages)
{
    static const struct {
        const char *text;
        comment_family_t family;
        const char *kinds;
    } cases[] = {
        {"double w = 0.5f;", COMMENT_SLASH, "ww=n;"},
        {"x[i-1] = -2", COMMENT_SLASH, "w[w-n]=n"},
        {"return -1; case -2:", COMMENT_SLASH, "wn;wn:"},
        {"a -1, (-1) -1", COMMENT_SLASH, "w-n,(n)-n"},
        {"(f -1)", COMMENT_SEMICOLON, "(wn)"},
        {"log10 (x2) $v1 é5", COMMENT_HASH, "w(w)ww"},
        {"0x1F 010 1_000 1.2.3 1'000 0b11 007", COMMENT_SLASH, "ooooooo"},
        {"0 0.5 .5 1. 1e3 1e-3f 10u 20s", COMMENT_SLASH, "nnnnnnnn"},
        {"0..5 a.5 0...5", COMMENT_HASH, "nrnw.nrn"},
        {"\"a\\\"b 1\" 'c' don't", COMMENT_HASH, "ssw'w"},
        {"\"open 1", COMMENT_HASH, "\"wn"},
        {"1 // 2\n3 /* 4 \n 5 */ 6", COMMENT_SLASH, "ncncn"},
        {"1 // 2 # 3\n4", COMMENT_HASH, "n//ncn"},
        {"i-- -- 5\n6", COMMENT_DASH, "wcn"},
        {"10 % 3 ; 4", COMMENT_PERCENT, "nc"},
        {"1 /* 2", COMMENT_SLASH, "nc"},
        {"# ; %", COMMENT_NONE, "#;%"},
        {"", COMMENT_NONE, ""},
    };
    char kinds[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg (strcmp (s_kinds (cases[i].text, cases[i].family, kinds), cases[i].kinds) == 0,
                       "%s: found %s, expected %s", cases[i].text, kinds, cases[i].kinds);
}
END_TEST

START_TEST (test_a_sign_belongs_to_the_number_and_a_suffix_does_not)
{
    const char *text = "x = -2.5e1f;";
    lexer_t lexer;
    lexer_init (&lexer, text, 0, strlen (text), COMMENT_SLASH);
    lexer_next (&lexer);
    lexer_next (&lexer);
    token_t token = lexer_next (&lexer);
    ck_assert_int_eq (token.kind, TOKEN_NUMBER);
    ck_assert (token.value == -25 && token.real);
    ck_assert_uint_eq (token.offset, 4);
    ck_assert_uint_eq (token.length, 6);
    ck_assert_int_eq (text[lexer_next (&lexer).offset], ';');
}
END_TEST

SUITE_MAIN ("evolution/lexer", test_tokens_of_many_languages,
            test_a_sign_belongs_to_the_number_and_a_suffix_does_not)
