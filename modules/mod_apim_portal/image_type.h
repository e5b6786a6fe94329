/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_IMAGE_TYPE_H
#define APIM_PORTAL_IMAGE_TYPE_H

#include <apr.h>

/** The media type of a picture by its content: image/png, image/jpeg, image/gif or image/webp; NULL for
 * anything else. What a client says of its type or name is not asked: SVG and HTML, which may hold scripts,
 * are never taken for a picture. Pure: any thread. */
const char *po_image_type(const char *data, apr_size_t len);

#endif
