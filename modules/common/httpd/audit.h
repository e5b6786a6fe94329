/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_AUDIT_H
#define APIM_AUDIT_H

#include <httpd.h>

#include "apim_error.h"
#include "common_config.h"

/*
 * The audit log: one line of JSON for each security event of Key Manager and portal: who, what, from where,
 * with what outcome. Never a password, secret, token or code: what goes in are names, ids, literals of the
 * program and paths without their query.
 *
 * A line is written by one call of write() and is at most 4096 bytes long, so that lines of several
 * processes never mix, in files and in pipes alike.
 */
typedef struct apim_audit_sink_t apim_audit_sink_t;

/** Opens what ApimAuditLog names, for this server, or finds it open already: roles and virtual hosts with
 * the same argument share one file or program. For post_config, before rights are given up. An error
 * sentence naming the directive, or NULL; NULL too without the directive. */
const char *apim_audit_open(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf);

/** Says more of the events that follow in this request. field: a literal: "user", "client", "grant",
 * "operation". value is copied; NULL does nothing. */
void apim_audit_about(request_rec *r, const char *field, const char *value);

/** Writes an event ("login"). err decides on the outcome: NULL is success, a status below 500 "refused", the
 * rest "failed"; of err only its message, a literal, becomes the reason. Does nothing without ApimAuditLog.
 * What cannot be written goes to the error log, once a minute at most. Any thread. */
void apim_audit(request_rec *r, const apim_common_config_t *conf, const char *event, const apim_error_t *err);

#endif
