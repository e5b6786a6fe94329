/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLE_HUTS_H
#define SAMPLE_HUTS_H

#include <jansson.h>

/* What the sample back end knows: constant tables, so any thread may call. */
typedef struct trail_t {
    const char *id, *name;
    int length_km;
    const char *difficulty;
} trail_t;

typedef struct hut_t {
    const char *id, *name, *trail;
    int altitude, beds, cents; /* metres; beds; price of a bed and night in euro cents */
    double lat, lon;
    const char *amenities; /* blank-separated */
} hut_t;

/* By place in the table; NULL past its end. Huts are sorted by name. */
const trail_t *sample_trail(int index);
const hut_t *sample_hut(int index);

/** Index of the hut with this id, -1 if there is none. */
int sample_hut_index(const char *id);

/** 1 if there is a trail with this id. */
int sample_is_trail(const char *id);

/* As the API shows them; new references. */
json_t *sample_trail_json(const trail_t *trail);
json_t *sample_hut_json(const hut_t *hut);
json_t *sample_price_json(int cents);

#endif
