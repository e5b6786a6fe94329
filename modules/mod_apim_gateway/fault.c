/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/rest.h"

APLOG_USE_MODULE(apim_gateway);

#define REALM "API Gateway"

typedef enum { AS_JSON, AS_XML, AS_SOAP11, AS_SOAP12 } format_e;

/* Quality of a media type in an Accept header, in thousandths; -1 if it is not named (wildcards do not count:
 * the default format is JSON, and only who asks for XML gets it). */
static int quality_of(const char *accept, const char *type)
{
    apr_size_t n = strlen(type);
    int best = -1;
    while (accept && *accept) {
        apr_size_t len = strcspn(accept, ",");
        const char *s = accept + strspn(accept, " \t");
        if (strncasecmp(s, type, n) == 0 && strchr(" \t;,", s[n])) {
            const char *q = s + n;
            int quality = 1000;
            while (q < accept + len && (q = memchr(q, ';', (apr_size_t)(accept + len - q)))) {
                q += 1 + strspn(q + 1, " \t");
                if (strncasecmp(q, "q=", 2) == 0) {
                    quality = (int)(strtod(q + 2, NULL) * 1000);
                }
            }
            best = quality > best ? quality : best;
        }
        accept += len + (accept[len] == ',');
    }
    return best;
}

static format_e format_for(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept"),
               *type = apr_table_get(r->headers_in, "Content-Type");
    int xml = quality_of(accept, "application/xml"), text = quality_of(accept, "text/xml");
    if (type && strncasecmp(type, "application/soap+xml", 20) == 0) {
        return AS_SOAP12;
    }
    if (apr_table_get(r->headers_in, "SOAPAction")) {
        return AS_SOAP11;
    }
    xml = xml > text ? xml : text;
    return xml > 0 && xml > quality_of(accept, "application/json") ? AS_XML : AS_JSON;
}

static const char *json_body(request_rec *r, const apim_error_t *e)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "code", apr_itoa(r->pool, e->code), "type", "Status report",
                          "message", e->message, "description", e->description ? e->description : "");
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    const char *body = text ? apr_pstrdup(r->pool, text)
                            : "{\"code\":\"500\",\"type\":\"Status report\",\"message\":\"Error\"}";
    free(text);
    json_decref(j);
    return body;
}

/* WSO2's namespace for a code: security, throttling, or general. */
static const char *namespace_of(int code, const char **prefix)
{
    if (code >= 900900 && code < 901000) {
        *prefix = "ams";
        return "http://wso2.org/apimanager/security";
    }
    if (code >= 900800 && code < 900900) {
        *prefix = "amt";
        return "http://wso2.org/apimanager/throttling";
    }
    *prefix = "am";
    return "http://wso2.org/apimanager";
}

static const char *xml_body(request_rec *r, const apim_error_t *e)
{
    const char *p, *ns = namespace_of(e->code, &p);
    const char *type = strcmp(p, "am") ? "" : "<am:type>Status report</am:type>";
    return apr_psprintf(r->pool,
                        "<%s:fault xmlns:%s=\"%s\"><%s:code>%d</%s:code>%s<%s:message>%s</%s:message>"
                        "<%s:description>%s</%s:description></%s:fault>",
                        p, p, ns, p, e->code, p, type, p, ap_escape_html(r->pool, e->message), p, p,
                        ap_escape_html(r->pool, e->description ? e->description : ""), p, p);
}

/* faultstring as WSO2 has it for the family of the code. */
static const char *fault_string(const apim_error_t *e)
{
    return e->code >= 900900 && e->code < 901000   ? "Authentication Failure"
           : e->code == 900805                     ? e->message
           : e->code >= 900800 && e->code < 900900 ? "Message Throttled Out"
                                                   : e->message;
}

static const char *soap_body(request_rec *r, const apim_error_t *e, format_e format)
{
    const char *reason = ap_escape_html(r->pool, fault_string(e));
    const char *side = e->status < 500 ? "Client" : "Server", *detail = xml_body(r, e);
    if (format == AS_SOAP11) {
        return apr_psprintf(
            r->pool,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope "
            "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><soapenv:Fault>"
            "<faultcode>soapenv:%s</faultcode><faultstring>%s</faultstring><detail>%s</detail>"
            "</soapenv:Fault></soapenv:Body></soapenv:Envelope>",
            side, reason, detail);
    }
    return apr_psprintf(
        r->pool,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope "
        "xmlns:soapenv=\"http://www.w3.org/2003/05/"
        "soap-envelope\"><soapenv:Body><soapenv:Fault><soapenv:Code>"
        "<soapenv:Value>soapenv:%s</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text "
        "xml:lang=\"en\">%s</soapenv:Text></soapenv:Reason><soapenv:Detail>%s</soapenv:Detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>",
        e->status < 500 ? "Sender" : "Receiver", reason, detail);
}

static void add_headers(request_rec *r, const gw_call_t *call)
{
    const apim_error_t *e = call->fault;
    if (e->status == HTTP_UNAUTHORIZED) {
        apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                       call->challenge
                           ? apr_psprintf(r->pool, "Bearer realm=\"" REALM "\", %s", call->challenge)
                           : "Bearer realm=\"" REALM "\"");
    }
    else if (e->code == 900910) {
        apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                       apr_psprintf(r->pool,
                                    "Bearer realm=\"" REALM "\", error=\"insufficient_scope\", scope=\"%s\"",
                                    call->operation ? call->operation->scopes : ""));
    }
    if (e->retry_after > 0) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, e->retry_after));
    }
}

int gw_fault_write(request_rec *r, const gw_call_t *call)
{
    const apim_error_t *e = call->fault;
    format_e format = format_for(r);
    const char *type = "application/json", *body;
    if (format == AS_JSON) {
        body = json_body(r, e);
    }
    else if (format == AS_XML) {
        type = "application/xml; charset=UTF-8";
        body = xml_body(r, e);
    }
    else {
        type = format == AS_SOAP11 ? "text/xml; charset=UTF-8" : "application/soap+xml; charset=UTF-8";
        body = soap_body(r, e, format);
    }
    add_headers(r, call);
    if (e->cause) { /* what only the log may say; a refusal as such is in the access log */
        rest_log_error(r, "APIM-GW0100", e);
    }
    apr_table_setn(r->subprocess_env, "apim_error_code", apr_itoa(r->pool, e->code));
    /* A body that nobody will read must not be swallowed before the connection can be used again. */
    if (r->method_number != M_GET && ap_request_has_body(r)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    rest_reply_text(r, e->status, type, body, strlen(body));
    return OK;
}

apim_error_t *gw_fault_backend(request_rec *r, int status)
{
    apim_error_t *e;
    if (status == HTTP_GATEWAY_TIME_OUT) {
        e = apim_error(r->pool, HTTP_GATEWAY_TIME_OUT, 101504, "Send timeout",
                       "The back end did not answer in time.");
    }
    else if (status == HTTP_BAD_GATEWAY) {
        e = apim_error(r->pool, HTTP_BAD_GATEWAY, 101500, "Error while sending the request to the back end",
                       "The back end's answer was missing or broken.");
    }
    else {
        e = apim_error(r->pool, HTTP_SERVICE_UNAVAILABLE, 101503, "Error connecting to the back end",
                       "The back end cannot be reached at the moment.");
        e->retry_after = 5;
    }
    return e;
}
