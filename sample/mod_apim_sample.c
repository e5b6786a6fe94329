/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small back end with real answers, for ./quickstart and for whoever tries out the gateway: mountain huts,
 * free beds, bookings. openapi.json beside this file describes it. It is not installed.
 *
 *     TrailHutsDefinition /path/of/openapi.json
 *     <Location "/">
 *         SetHandler trail-huts
 *     </Location>
 */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <string.h>
#include <time.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "bookings.h"
#include "httpd/common_config.h"
#include "httpd/rest.h"
#include "huts.h"

#define HANDLER        "trail-huts"
#define MAX_DEFINITION (1024 * 1024)
#define MAX_BEDS       20
#define DAY_MS         ((apr_int64_t)86400 * 1000)

APIM_EXPORT_MODULE(apim_sample);
APLOG_USE_MODULE(apim_sample);

/* The OpenAPI document, read once with the configuration. */
static const char *definition;
static apr_size_t definition_len;

/* -- reading what came -------------------------------------------------------------------------------------
 */

/* "2027-07-01" as days since 1970-01-01. */
static apim_error_t *read_day(rest_request_t *rq, const char *name, const char *text, int *day)
{
    struct tm tm = {0};
    const char *end = text && strlen(text) == 10 ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    const char *again = "";
    if (end && !*end) {
        time_t t = timegm(&tm);
        *day = (int)(t / 86400);
        again = apr_pstrmemdup(rq->pool, apim_iso_time(rq->pool, *day * DAY_MS), 10);
    }
    if (!text || strcmp(again, text) != 0) { /* the 31st of June comes back as the 1st of July */
        return apim_bad_request(rq->pool, "%s must be a date such as 2027-07-01.", name);
    }
    return NULL;
}

static apim_error_t *read_number(rest_request_t *rq, const char *name, int fallback, int max, int *out)
{
    const char *text = apr_table_get(rq->query, name);
    apr_int64_t value = fallback;
    if (text && (apim_parse_i64(text, &value) || value < 1 || value > max)) {
        return apim_bad_request(rq->pool, "%s must be a whole number from 1 to %d.", name, max);
    }
    *out = (int)value;
    return NULL;
}

static apim_error_t *member_number(rest_request_t *rq, const json_t *in, const char *name, int max, int *out)
{
    const json_t *member = json_object_get(in, name);
    json_int_t value = member ? json_integer_value(member) : 1;
    if (value < 1 || value > max) {
        return apim_bad_request(rq->pool, "%s must be a whole number from 1 to %d.", name, max);
    }
    *out = (int)value;
    return NULL;
}

static apim_error_t *read_hut(rest_request_t *rq, const char *id, int *index)
{
    *index = sample_hut_index(id);
    return *index >= 0 ? NULL : apim_not_found(rq->pool, "hut", id);
}

/* -- answers -----------------------------------------------------------------------------------------------
 */

static const char *day_text(apr_pool_t *p, int day)
{
    return apr_pstrmemdup(p, apim_iso_time(p, day * DAY_MS), 10);
}

static json_t *booking_json(apr_pool_t *p, const booking_t *b)
{
    const hut_t *hut = sample_hut(b->hut);
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:o, s:s}", "id", b->id, "hutId", hut->id, "from",
                     day_text(p, b->day), "nights", b->nights, "beds", b->beds, "guest", b->guest, "status",
                     b->cancelled ? "cancelled" : "confirmed", "total",
                     sample_price_json(hut->cents * b->nights * b->beds), "bookedAt",
                     apim_iso_time(p, b->booked_at));
}

static apim_error_t *list_huts(rest_request_t *rq)
{
    const char *trail = apr_table_get(rq->query, "trail");
    int limit, offset, beds, i, total = 0;
    const hut_t *hut;
    json_t *list;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(read_number(rq, "minBeds", 1, 1000, &beds));
    if (trail && !sample_is_trail(trail)) {
        return apim_bad_request(rq->pool, "There is no trail '%s'; GET /trails lists them.", trail);
    }
    list = json_array();
    for (i = 0; (hut = sample_hut(i)); i++) {
        if ((trail && strcmp(hut->trail, trail) != 0) || hut->beds < beds) {
            continue;
        }
        if (total >= offset && total < offset + limit) {
            json_array_append_new(list, sample_hut_json(hut));
        }
        total++;
    }
    return rest_reply_json(rq->r, HTTP_OK, rest_list(rq, list, limit, offset, total));
}

static apim_error_t *get_hut(rest_request_t *rq)
{
    int hut;
    APIM_TRY(read_hut(rq, rq->param[0], &hut));
    return rest_reply_json(rq->r, HTTP_OK, sample_hut_json(sample_hut(hut)));
}

static apim_error_t *get_availability(rest_request_t *rq)
{
    int hut, day, nights, i;
    json_t *list;
    APIM_TRY(read_hut(rq, rq->param[0], &hut));
    APIM_TRY(read_day(rq, "from", apr_table_get(rq->query, "from"), &day));
    APIM_TRY(read_number(rq, "nights", 7, SAMPLE_MAX_NIGHTS, &nights));
    list = json_array();
    for (i = day; i < day + nights; i++) {
        json_array_append_new(list, json_pack("{s:s, s:i}", "date", day_text(rq->pool, i), "freeBeds",
                                              sample_free_beds(hut, i)));
    }
    return rest_reply_json(rq->r, HTTP_OK,
                           json_pack("{s:s, s:o}", "hutId", sample_hut(hut)->id, "nights", list));
}

static apim_error_t *list_trails(rest_request_t *rq)
{
    const trail_t *trail;
    json_t *list = json_array();
    int i;
    for (i = 0; (trail = sample_trail(i)); i++) {
        json_array_append_new(list, sample_trail_json(trail));
    }
    return rest_reply_json(rq->r, HTTP_OK, rest_list(rq, list, i, 0, i));
}

static apim_error_t *read_booking(rest_request_t *rq, const json_t *in, booking_t *b)
{
    const char *guest = apim_json_str(in, "guest", "");
    APIM_TRY(read_hut(rq, apim_json_str(in, "hutId", ""), &b->hut));
    APIM_TRY(read_day(rq, "from", apim_json_str(in, "from", NULL), &b->day));
    APIM_TRY(member_number(rq, in, "nights", SAMPLE_MAX_NIGHTS, &b->nights));
    APIM_TRY(member_number(rq, in, "beds", MAX_BEDS, &b->beds));
    if (!*guest || strlen(guest) > SAMPLE_MAX_GUEST || apim_has_control(guest, NULL)) {
        return apim_bad_request(rq->pool, "guest must be a name of 1 to %d bytes.", SAMPLE_MAX_GUEST);
    }
    apr_cpystrn(b->guest, guest, sizeof(b->guest));
    return NULL;
}

static apim_error_t *create_booking(rest_request_t *rq)
{
    static const apim_json_limits_t limits = {16 * 1024, 8};
    booking_t booking = {.id = ""};
    const char *id;
    json_t *in;
    int day;
    APIM_TRY(rest_read_json(rq->r, &limits, &in));
    if (!json_is_object(in)) {
        return apim_bad_request(rq->pool, "The body must be a JSON object.");
    }
    APIM_TRY(read_booking(rq, in, &booking));
    id = apim_uuid(rq->pool);
    if (!id) {
        return apim_internal(rq->pool, "no random numbers");
    }
    apr_cpystrn(booking.id, id, sizeof(booking.id));
    if (!sample_book(&booking, &day)) {
        return apim_conflict(rq->pool, "%s has not so many free beds in the night of %s.",
                             sample_hut(booking.hut)->name, day_text(rq->pool, day));
    }
    apr_table_setn(rq->r->headers_out, "Location", apr_pstrcat(rq->pool, "/bookings/", id, NULL));
    return rest_reply_json(rq->r, HTTP_CREATED, booking_json(rq->pool, &booking));
}

static apim_error_t *get_booking(rest_request_t *rq)
{
    booking_t booking;
    if (!sample_booking(rq->param[0], &booking)) {
        return apim_not_found(rq->pool, "booking", rq->param[0]);
    }
    return rest_reply_json(rq->r, HTTP_OK, booking_json(rq->pool, &booking));
}

static apim_error_t *cancel_booking(rest_request_t *rq)
{
    if (!sample_cancel(rq->param[0])) {
        return apim_not_found(rq->pool, "confirmed booking", rq->param[0]);
    }
    return rest_reply_empty(rq->r, HTTP_NO_CONTENT);
}

static apim_error_t *get_health(rest_request_t *rq)
{
    int huts = 0;
    while (sample_hut(huts)) {
        huts++;
    }
    return rest_reply_json(rq->r, HTTP_OK, json_pack("{s:s, s:i}", "status", "up", "huts", huts));
}

static apim_error_t *get_definition(rest_request_t *rq)
{
    if (!definition) {
        return apim_not_found(rq->pool, "file", "openapi.json");
    }
    return rest_reply_text(rq->r, HTTP_OK, "application/json", definition, definition_len);
}

static const rest_route_t routes[] = {{"GET", "/huts", list_huts, NULL, 0},
                                      {"GET", "/huts/{hutId}", get_hut, NULL, 0},
                                      {"GET", "/huts/{hutId}/availability", get_availability, NULL, 0},
                                      {"GET", "/trails", list_trails, NULL, 0},
                                      {"POST", "/bookings", create_booking, NULL, 0},
                                      {"GET", "/bookings/{bookingId}", get_booking, NULL, 0},
                                      {"DELETE", "/bookings/{bookingId}", cancel_booking, NULL, 0},
                                      {"GET", "/health", get_health, NULL, 0},
                                      {"GET", "/openapi.json", get_definition, NULL, 0},
                                      {NULL, NULL, NULL, NULL, 0}};

static const rest_api_t api = {"", routes, NULL, "TrailHuts", NULL, NULL, NULL};

/* -- httpd -------------------------------------------------------------------------------------------------
 */

static int handler(request_rec *r)
{
    return r->handler && strcmp(r->handler, HANDLER) == 0 ? rest_dispatch(r, &api) : DECLINED;
}

static const char *set_definition(cmd_parms *cmd, void *dummy, const char *path)
{
    const char *full = ap_server_root_relative(cmd->pool, path);
    apr_file_t *file;
    char *text = apr_palloc(cmd->pool, MAX_DEFINITION);
    apr_size_t len = 0;
    apr_status_t rv = apr_file_open(&file, full, APR_READ, 0, cmd->temp_pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, MAX_DEFINITION, &len);
        apr_file_close(file);
    }
    if (rv != APR_EOF) { /* APR_SUCCESS: the file goes on */
        return apr_psprintf(cmd->pool, "%s: cannot read %s: %pm", cmd->cmd->name, full, &rv);
    }
    definition = text;
    definition_len = len;
    return NULL;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    definition = NULL;
    return sample_bookings_register(pconf) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    apr_status_t rv;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    json_object_seed(0);
    rv = sample_bookings_create(pconf, s);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, rv, s, "APIM-SA0001: no shared memory for bookings");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_status_t rv = sample_bookings_child_init(pchild);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "APIM-SA0002: no mutex for bookings");
    }
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec commands[] = {AP_INIT_TAKE1("TrailHutsDefinition", set_definition, NULL, RSRC_CONF,
                                                     "the file that /openapi.json answers with"),
                                       {NULL}};

module AP_MODULE_DECLARE_DATA apim_sample_module = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands,
                                                    register_hooks,          0};
