/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_YAML_TEXT_H
#define APIM_PORTAL_YAML_TEXT_H

#include <jansson.h>

#include "apim_error.h"

/** JSON as YAML for people: blocks, members in their order. Read again (YAML 1.1 or 1.2) it is the same: a
 * text that could be taken for something else is quoted. Pure. */
apim_error_t *po_yaml_text(apr_pool_t *p, const json_t *value, const char **out);

#endif
