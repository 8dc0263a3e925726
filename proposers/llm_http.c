/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_http.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "proposers/llm_retry.h"

#define CONNECT_TIMEOUT_MS 15000
#define KEY_BYTES_MAX      4096

static size_t s_on_body (char *data, size_t one, size_t size, void *context)
{
    assert (one == 1); /* libcurl counts in bytes */
    llm_reply_t *reply = context;
    assert (reply->size <= LLM_REPLY_BYTES_MAX);
    if (size > LLM_REPLY_BYTES_MAX - reply->size) {
        reply->too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    char *body = realloc (reply->body, reply->size + size + 1);
    if (body == NULL)
        return CURL_WRITEFUNC_ERROR;
    memcpy (body + reply->size, data, size);
    reply->body = body;
    reply->size += size;
    body[reply->size] = '\0';
    return size;
}

static size_t s_on_header (char *data, size_t one, size_t size, void *context)
{
    static const char name[] = "retry-after:";
    assert (one == 1);
    llm_reply_t *reply = context;
    reply->header_size += size;
    if (reply->header_size > LLM_HEADER_BYTES_MAX) {
        reply->too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (size > strlen (name) && strncasecmp (data, name, strlen (name)) == 0) {
        char value[64];
        snprintf (value, sizeof value, "%.*s", (int)(size - strlen (name)), data + strlen (name));
        reply->retry_after_s = llm_retry_after_s (value, (uint64_t)time (NULL));
    }
    return size;
}

static struct curl_slist *s_headers (const char *key)
{
    struct curl_slist *headers = curl_slist_append (NULL, "Content-Type: application/json");
    if (headers == NULL || key[0] == '\0')
        return headers;
    char bearer[KEY_BYTES_MAX + sizeof "Authorization: Bearer "];
    snprintf (bearer, sizeof bearer, "Authorization: Bearer %s", key);
    struct curl_slist *longer = curl_slist_append (headers, bearer);
    if (longer == NULL)
        curl_slist_free_all (headers);
    return longer;
}

static void s_configure (CURL *curl, const char *url, struct curl_slist *headers, const char *json,
                         uint64_t timeout_ms, llm_reply_t *reply, char *error)
{
    long timeout = (long)timeout_ms;
    curl_easy_setopt (curl, CURLOPT_URL, url);
    curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt (curl, CURLOPT_PROXY, "");
    curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt (curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT_MS,
                      timeout < CONNECT_TIMEOUT_MS ? timeout : CONNECT_TIMEOUT_MS);
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen (json));
    curl_easy_setopt (curl, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, s_on_body);
    curl_easy_setopt (curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, s_on_header);
    curl_easy_setopt (curl, CURLOPT_HEADERDATA, reply);
    curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, error);
}

static int s_perform (CURL *curl, const char *error, llm_reply_t *reply, problem_t *problem)
{
    CURLcode code = curl_easy_perform (curl);
    curl_off_t uploaded = 0;
    curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo (curl, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    reply->sent = uploaded > 0 || reply->status > 0;
    if (code == CURLE_OK)
        return 0;
    if (reply->too_long)
        return problem_set (problem, "its reply is longer than %d bytes, or its headers than %d",
                            LLM_REPLY_BYTES_MAX, LLM_HEADER_BYTES_MAX);
    return problem_set (problem, "%s", error[0] != '\0' ? error : curl_easy_strerror (code));
}

int llm_http_post (const char *url, const char *key, const char *json, uint64_t timeout_ms,
                   llm_reply_t *reply, problem_t *problem)
{
    assert (url && key && json && timeout_ms > 0 && reply);
    assert (reply->body == NULL); /* the one before was cleared */
    char error[CURL_ERROR_SIZE] = "";
    int rc;
    CURL *curl = curl_easy_init ();
    struct curl_slist *headers = strlen (key) > KEY_BYTES_MAX ? NULL : s_headers (key);
    if (curl == NULL || headers == NULL) {
        rc = problem_set (problem, "libcurl can't be set up");
    } else {
        s_configure (curl, url, headers, json, timeout_ms, reply, error);
        rc = s_perform (curl, error, reply, problem);
    }
    curl_slist_free_all (headers);
    curl_easy_cleanup (curl);
    return rc;
}

void llm_http_clear (llm_reply_t *reply)
{
    assert (reply);
    free (reply->body);
    *reply = (llm_reply_t){0};
}
