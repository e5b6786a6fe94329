/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <apr_strings.h>
#include <curl/curl.h>
#include <http_log.h>
#include <stdlib.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "httpd/keymgr_call.h"

APLOG_USE_MODULE(apim_gateway);

/* A waiting request is answered after this time at the latest, so that the node's report is never older. */
#define WAIT_MS            1500
#define CONNECT_TIMEOUT_MS 3000
#define ANSWER_TIMEOUT_MS  5000 /* beyond the waiting */
#define USAGE_TIMEOUT_MS   4000
#define STEP_MS            1000
#define MAX_ANSWER         (64 * 1024 * 1024)
#define FIRST_PAUSE        apr_time_from_msec(200)
#define LONGEST_PAUSE      apr_time_from_sec(5)
#define MAX_EPOCH          128

typedef struct kept_head_t {
    char epoch[MAX_EPOCH];
    apr_int64_t revision;
} kept_head_t;

/* The connections of one thread. */
typedef struct channel_t {
    CURLM *multi;
    CURL *easy;
    int address; /* index of the one that answered last */
    int stop_fd; /* readable: give up */
} channel_t;

/* Of this child and its sync thread, which may outlive the child's pools: nothing here is in a pool. */
static struct {
    server_rec *server;
    channel_t sync, usage;
    kept_head_t registry, invalidations;
    int known;       /* the heads are those of the last answer, not used yet */
    char error[400]; /* of the last attempt to wait, "" if it went well */
    apr_interval_time_t pause;
    char *node; /* the report, JSON, malloc'd */
} here;

typedef struct body_t {
    char *text; /* malloc'd */
    apr_size_t len, room;
} body_t;

static const gw_server_config_t *conf(void)
{
    return gw_server_config(here.server);
}

/* -- one request
 * ----------------------------------------------------------------------------------------------------- */

static size_t take(char *data, size_t size, size_t n, void *baton)
{
    body_t *body = baton;
    apr_size_t len = size * n;
    if (body->len + len > MAX_ANSWER) {
        return 0;
    }
    if (body->len + len > body->room) {
        apr_size_t room = (body->len + len) * 2;
        char *grown = realloc(body->text, room);
        if (!grown) {
            return 0;
        }
        body->text = grown;
        body->room = room;
    }
    memcpy(body->text + body->len, data, len);
    body->len += len;
    return len;
}

static int start_curl(channel_t *ch)
{
    ch->easy = ch->easy ? ch->easy : curl_easy_init();
    ch->multi = ch->multi ? ch->multi : curl_multi_init();
    return ch->easy && ch->multi;
}

static void set_options(CURL *c, const char *url, struct curl_slist *headers, const char *text,
                        long timeout_ms, body_t *body, char *message)
{
    curl_easy_reset(c); /* keeps connections and the TLS sessions */
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(text));
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    if (conf()->feed_ca) {
        curl_easy_setopt(c, CURLOPT_CAINFO, conf()->feed_ca);
    }
    if (conf()->feed_certificate) {
        curl_easy_setopt(c, CURLOPT_SSLCERT, conf()->feed_certificate);
        curl_easy_setopt(c, CURLOPT_SSLKEY, conf()->feed_key);
    }
}

/* Runs the transfer until it ends or the node stops. */
static CURLcode transfer(const channel_t *ch)
{
    struct curl_waitfd stop = {.fd = ch->stop_fd, .events = CURL_WAIT_POLLIN};
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    CURLMsg *done;
    int running = 1, left;
    curl_multi_add_handle(ch->multi, ch->easy);
    while (running && !stop.revents && curl_multi_perform(ch->multi, &running) == CURLM_OK) {
        if (running) {
            curl_multi_poll(ch->multi, &stop, 1, STEP_MS, NULL);
        }
    }
    while ((done = curl_multi_info_read(ch->multi, &left)) != NULL) {
        result = done->msg == CURLMSG_DONE ? done->data.result : result;
    }
    curl_multi_remove_handle(ch->multi, ch->easy);
    return result;
}

static apim_error_t *understand(apr_pool_t *p, const channel_t *ch, const char *url, const body_t *body,
                                json_t **out)
{
    static const apim_json_limits_t limits = {MAX_ANSWER, 6};
    long status = 0;
    curl_easy_getinfo(ch->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!body->text || apim_json_parse(p, body->text, body->len, &limits, out)) {
        return apim_unavailable(p, "The feed", "%s answered %ld without JSON", url, status);
    }
    if (status == 404) {
        return apim_unavailable(
            p, "The feed", "%s answered 404: it knows no feed, or its ApimClusterSecret is another one", url);
    }
    if (status == 400) {
        return apim_bad_request(p, "%s: %s", url, apim_json_str(*out, "description", ""));
    }
    return status == 200 ? NULL
                         : apim_unavailable(p, "The feed", "%s answered %ld: %s", url, status,
                                            apim_json_str(*out, "description", ""));
}

static apim_error_t *ask(apr_pool_t *p, const channel_t *ch, const char *address, const char *operation,
                         const char *text, long timeout_ms, json_t **out)
{
    const char *url = apr_pstrcat(p, address, APIM_KEYMGR_INTERNAL_PATH, operation, NULL);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char message[CURL_ERROR_SIZE] = "";
    body_t body = {0};
    apim_error_t *err;
    CURLcode rc;
    headers = curl_slist_append(
        headers, apr_pstrcat(p, APIM_CLUSTER_SECRET_HEADER ": ", conf()->common.cluster_secret, NULL));
    set_options(ch->easy, url, headers, text, timeout_ms, &body, message);
    rc = transfer(ch);
    err = rc ? apim_unavailable(p, "The feed", "%s: %s", url, *message ? message : curl_easy_strerror(rc))
             : understand(p, ch, url, &body, out);
    free(body.text);
    curl_slist_free_all(headers);
    return err;
}

/* Asks the addresses in turn, beginning with the one that answered last. */
static apim_error_t *call(apr_pool_t *p, channel_t *ch, const char *operation, json_t *in, long timeout_ms,
                          json_t **out)
{
    const apr_array_header_t *addresses = conf()->feed_urls;
    const char *text = in ? apim_json_text(p, apim_json_own(p, in)) : NULL;
    apim_error_t *err = NULL;
    int i;
    if (!text || !start_curl(ch)) {
        return apim_internal(p, "the feed's request cannot be made");
    }
    for (i = 0; i < addresses->nelts; i++) {
        ch->address %= addresses->nelts;
        err =
            ask(p, ch, APR_ARRAY_IDX(addresses, ch->address, const char *), operation, text, timeout_ms, out);
        if (!err) {
            return NULL;
        }
        ch->address++;
    }
    return err;
}

/* -- the heads
 * ------------------------------------------------------------------------------------------------------- */

static json_t *head_json(const gw_feed_head_t *head)
{
    return json_pack("{s:s, s:I}", "epoch", head->epoch ? head->epoch : "", "revision",
                     (json_int_t)head->revision);
}

static void keep(kept_head_t *kept, const json_t *answer, const char *name)
{
    const json_t *head = json_object_get(answer, name);
    apr_cpystrn(kept->epoch, apim_json_str(head, "epoch", ""), MAX_EPOCH);
    kept->revision = apim_json_int(head, "revision", 0);
}

/* Asks for the heads; with wait_ms, the answer comes when they are no longer those of place. */
static apim_error_t *ask_heads(apr_pool_t *p, const gw_feed_place_t *place, int wait_ms,
                               apr_int64_t *pause_ms)
{
    json_t *in = json_pack("{s:s, s:i, s:o, s:o}", "environment", conf()->environment, "waitMs", wait_ms,
                           "registry", head_json(&place->registry), "invalidations",
                           head_json(&place->invalidations)),
           *node = here.node ? json_loads(here.node, 0, NULL) : NULL, *out = NULL;
    if (in && node) {
        json_object_set_new(in, "node", node);
    }
    APIM_TRY(call(p, &here.sync, "feed-heads", in, wait_ms + ANSWER_TIMEOUT_MS, &out));
    keep(&here.registry, out, "registry");
    keep(&here.invalidations, out, "invalidations");
    if (!*here.registry.epoch || !*here.invalidations.epoch) {
        return apim_unavailable(p, "The feed", "an answer without heads");
    }
    *pause_ms = apim_json_int(out, "pauseMs", 0);
    here.known = 1;
    *here.error = '\0';
    here.pause = FIRST_PAUSE;
    return NULL;
}

/* What the last wait brought; at the very first, and where the last wait went wrong long ago, asks now. */
static apim_error_t *head_of(apr_pool_t *p, const kept_head_t *kept, gw_feed_head_t *head)
{
    gw_feed_place_t nowhere = {{"", -1}, {"", -1}};
    apr_int64_t pause_ms;
    if (*here.error) {
        return apim_unavailable(p, "The feed", "%s", here.error);
    }
    if (!here.known) {
        APIM_TRY(ask_heads(p, &nowhere, 0, &pause_ms));
    }
    head->epoch = apr_pstrdup(p, kept->epoch);
    head->revision = kept->revision;
    return NULL;
}

static apim_error_t *registry_head(apr_pool_t *p, gw_feed_head_t *head)
{
    return head_of(p, &here.registry, head);
}

static apim_error_t *invalidations_head(apr_pool_t *p, gw_feed_head_t *head)
{
    return head_of(p, &here.invalidations, head);
}

/* -- rows
 * ------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *take_rows(apr_pool_t *p, const json_t *answer, int columns, apim_rows_t **out)
{
    const json_t *list = json_object_get(answer, "rows");
    apim_rows_t *rows = apr_pcalloc(p, sizeof(*rows));
    int i, c;
    rows->count = (int)json_array_size(list);
    rows->columns = columns;
    rows->row = apr_pcalloc(p, sizeof(*rows->row) * (apr_size_t)(rows->count + 1));
    for (i = 0; i < rows->count; i++) {
        const json_t *row = json_array_get(list, (size_t)i);
        rows->row[i] = apr_pcalloc(p, sizeof(char *) * (apr_size_t)columns);
        for (c = 0; c < columns; c++) {
            rows->row[i][c] = json_string_value(json_array_get(row, (size_t)c));
            if (!rows->row[i][c]) {
                return apim_unavailable(p, "The feed", "a row that is not one");
            }
        }
    }
    *out = rows;
    return NULL;
}

static apim_error_t *artifacts_after(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows)
{
    json_t *out;
    APIM_TRY(call(p, &here.sync, "feed-artifacts",
                  json_pack("{s:s, s:I}", "environment", conf()->environment, "after", (json_int_t)after),
                  ANSWER_TIMEOUT_MS * 4, &out));
    return take_rows(p, out, 5, rows);
}

static apim_error_t *invalidations_after(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows)
{
    json_t *out;
    APIM_TRY(call(p, &here.sync, "feed-invalidations", json_pack("{s:I}", "after", (json_int_t)after),
                  ANSWER_TIMEOUT_MS, &out));
    return take_rows(p, out, 3, rows);
}

/* -- reporting and waiting
 * -------------------------------------------------------------------------------------------- */

static apim_error_t *report(apr_pool_t *p, const apim_node_t *node)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "name", node->name, "environment", node->environment,
                  "version", node->version, "epoch", node->epoch, "revision", (json_int_t)node->revision,
                  "startedAt", (json_int_t)node->started_at, "detail", node->detail);
    free(here.node);
    here.node = json ? json_dumps(json, JSON_COMPACT) : NULL; /* goes with the next request */
    json_decref(json);
    return NULL;
}

/* A child that stops waits for the answer. */
static apim_error_t *usage(apr_pool_t *p, const json_t *batch)
{
    json_t *out;
    return call(p, &here.usage, "usage-add", json_deep_copy(batch), USAGE_TIMEOUT_MS, &out);
}

/* Between half the pause and all of it, so that gateways that lost the feed together come back apart. */
static apr_interval_time_t jittered(apr_interval_time_t pause)
{
    unsigned char r = 0;
    apr_generate_random_bytes(&r, 1);
    return pause / 2 + pause / 2 * r / 255;
}

static void wait_for_news(apr_pool_t *p, const gw_feed_place_t *place, int stop_fd)
{
    apr_int64_t pause_ms = 0;
    apim_error_t *err;
    here.sync.stop_fd = stop_fd;
    here.known = 0;
    err = ask_heads(p, place, WAIT_MS, &pause_ms);
    if (err) {
        apr_cpystrn(here.error, err->cause ? err->cause : err->description, sizeof(here.error));
        gw_feed_pause(jittered(here.pause), stop_fd);
        here.pause = here.pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : here.pause * 2;
    }
    else if (pause_ms > 0) { /* it has too many who wait: ask every while instead */
        gw_feed_pause(apr_time_from_msec(pause_ms < 5000 ? pause_ms : 5000), stop_fd);
    }
}

static const char *mode(void)
{
    return "http";
}

const char *gw_feed_http_setup(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) ? "libcurl could not be started" : NULL;
}

const gw_feed_t *gw_feed_http(server_rec *main_server)
{
    static const gw_feed_t feed = {"the feed of registry changes",
                                   "the feed of invalidations",
                                   registry_head,
                                   invalidations_head,
                                   artifacts_after,
                                   invalidations_after,
                                   report,
                                   usage,
                                   wait_for_news,
                                   1,
                                   mode};
    here.server = main_server;
    here.sync.stop_fd = here.usage.stop_fd = -1;
    here.pause = here.pause ? here.pause : FIRST_PAUSE;
    return &feed;
}
