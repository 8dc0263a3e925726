/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_blocks.h"

#include <assert.h>
#include <string.h>

#define MARK_SEARCH  "<<<<<<< SEARCH"
#define MARK_DIVIDER "======="
#define MARK_REPLACE ">>>>>>> REPLACE"
#define FENCE        "```"

bool llm_next_line (text_t *rest, text_t *line)
{
    assert (rest && line && (rest->data || rest->size == 0));
    if (rest->size == 0)
        return false;
    const char *end = memchr (rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data) + 1;
    *line = (text_t){rest->data, size};
    rest->data += size;
    rest->size -= size;
    assert (line->size > 0);
    return true;
}

static bool s_is_space (char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

text_t llm_trim (text_t text)
{
    assert (text.data != NULL || text.size == 0);
    while (text.size > 0 && s_is_space (text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && s_is_space (text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

/* A mark fills its line; only white space may follow. */
static bool s_is_mark (text_t line, const char *mark)
{
    size_t length = strlen (mark);
    return line.size >= length && memcmp (line.data, mark, length) == 0 &&
           llm_trim ((text_t){line.data + length, line.size - length}).size == 0;
}

static bool s_says_something (text_t line)
{
    text_t trimmed = llm_trim (line);
    return trimmed.size > 0 &&
           !(trimmed.size >= strlen (FENCE) && memcmp (trimmed.data, FENCE, strlen (FENCE)) == 0);
}

/* Reads lines into `part` until the mark; false if the answer ends before it. */
static bool s_read_part (text_t *rest, const char *mark, text_t *part)
{
    text_t line;
    *part = (text_t){rest->data, 0};
    while (llm_next_line (rest, &line)) {
        if (s_is_mark (line, mark))
            return true;
        part->size += line.size;
    }
    return false;
}

static int s_read_block (text_t *rest, size_t number, llm_block_t *block, problem_t *problem)
{
    assert (number > 0 && number <= LLM_BLOCKS_MAX);
    if (!s_read_part (rest, MARK_DIVIDER, &block->search))
        return problem_set (problem, "block %zu has no line \"" MARK_DIVIDER "\": is the answer cut off?",
                            number);
    if (!s_read_part (rest, MARK_REPLACE, &block->replace))
        return problem_set (problem, "block %zu has no line \"" MARK_REPLACE "\": is the answer cut off?",
                            number);
    return 0;
}

int llm_blocks_parse (text_t answer, llm_blocks_t *blocks, problem_t *problem)
{
    assert (blocks);
    text_t line, heading = {0};
    blocks->count = 0;
    while (llm_next_line (&answer, &line)) {
        if (!s_is_mark (line, MARK_SEARCH)) {
            heading = s_says_something (line) ? line : heading;
            continue;
        }
        if (blocks->count == LLM_BLOCKS_MAX)
            return problem_set (problem, "found more than %d blocks", LLM_BLOCKS_MAX);
        llm_block_t *block = &blocks->items[blocks->count++];
        block->heading = heading;
        heading = (text_t){0};
        if (s_read_block (&answer, blocks->count, block, problem) != 0)
            return -1;
    }
    return blocks->count > 0 ? 0 : problem_set (problem, "found no SEARCH/REPLACE block");
}

text_t llm_blocks_summary (text_t answer)
{
    text_t line;
    while (llm_next_line (&answer, &line) && !s_is_mark (line, MARK_SEARCH))
        if (s_says_something (line))
            return llm_trim (line);
    return (text_t){0};
}

/* The number behind the words in a line; 0 if they aren't there. */
static size_t s_crossed_with (text_t line)
{
    static const char words[] = "Crossed with candidate ";
    size_t at = 0, length = sizeof words - 1, number = 0;
    while (at + length <= line.size && memcmp (line.data + at, words, length) != 0)
        at++;
    for (at += length; at < line.size && line.data[at] >= '0' && line.data[at] <= '9' && number < 1000; at++)
        number = 10 * number + (size_t)(line.data[at] - '0');
    assert (number < 10000);
    return number;
}

size_t llm_blocks_crossed (text_t answer)
{
    text_t line;
    size_t number = 0;
    while (number == 0 && llm_next_line (&answer, &line) && !s_is_mark (line, MARK_SEARCH))
        number = s_crossed_with (line);
    return number;
}
