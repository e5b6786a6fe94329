/* SPDX-License-Identifier: Apache-2.0 */
#include "huts.h"

#include <stdio.h>
#include <string.h>

static const trail_t trails[] = {
    {"lake-round", "Lake Round", 64, "easy"},
    {"ridge-way", "Ridge Way", 118, "moderate"},
    {"three-passes", "Three Passes", 151, "hard"},
};

static const hut_t huts[] = {
    {"alder-bothy", "Alder Bothy", "lake-round", 640, 12, 1500, 46.625, 10.5, "stove"},
    {"cold-spring", "Cold Spring Hut", "three-passes", 2310, 46, 3400, 46.8125, 10.3125, "kitchen shower"},
    {"eagle-saddle", "Eagle Saddle", "three-passes", 2745, 28, 3900, 46.8125, 10.375, "kitchen stove"},
    {"ferrymans-rest", "Ferryman's Rest", "lake-round", 590, 24, 2600, 46.625, 10.5,
     "kitchen shower laundry"},
    {"greywether", "Greywether", "ridge-way", 1975, 40, 3100, 46.9375, 10.125, "kitchen shower"},
    {"juniper-step", "Juniper Step", "ridge-way", 1610, 18, 2400, 46.9375, 10.1875, "stove"},
    {"larkfell", "Larkfell Hut", "ridge-way", 1840, 32, 2800, 46.9375, 10.125, "kitchen stove"},
    {"moonstone", "Moonstone", "three-passes", 2580, 36, 3700, 46.875, 10.375, "kitchen"},
    {"otter-landing", "Otter Landing", "lake-round", 602, 16, 2200, 46.6875, 10.5, "kitchen canoe"},
    {"windgap", "Windgap Hut", "three-passes", 2420, 52, 3300, 46.8125, 10.375, "kitchen shower stove"},
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

const trail_t *sample_trail(int index)
{
    return index >= 0 && index < COUNT(trails) ? &trails[index] : NULL;
}

const hut_t *sample_hut(int index)
{
    return index >= 0 && index < COUNT(huts) ? &huts[index] : NULL;
}

int sample_hut_index(const char *id)
{
    int i;
    for (i = 0; i < COUNT(huts); i++) {
        if (strcmp(huts[i].id, id) == 0) {
            return i;
        }
    }
    return -1;
}

int sample_is_trail(const char *id)
{
    int i;
    for (i = 0; i < COUNT(trails); i++) {
        if (strcmp(trails[i].id, id) == 0) {
            return 1;
        }
    }
    return 0;
}

json_t *sample_trail_json(const trail_t *trail)
{
    return json_pack("{s:s, s:s, s:i, s:s}", "id", trail->id, "name", trail->name, "lengthKm",
                     trail->length_km, "difficulty", trail->difficulty);
}

json_t *sample_price_json(int cents)
{
    char amount[24];
    snprintf(amount, sizeof(amount), "%d.%02d", cents / 100, cents % 100);
    return json_pack("{s:s, s:s}", "amount", amount, "currency", "EUR");
}

static json_t *words(const char *list)
{
    json_t *array = json_array();
    while (*list) {
        size_t n = strcspn(list, " ");
        json_array_append_new(array, json_stringn(list, n));
        list += n;
        list += strspn(list, " ");
    }
    return array;
}

json_t *sample_hut_json(const hut_t *hut)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:o, s:{s:f, s:f}, s:o}", "id", hut->id, "name", hut->name,
                     "trail", hut->trail, "altitude", hut->altitude, "beds", hut->beds, "pricePerNight",
                     sample_price_json(hut->cents), "location", "lat", hut->lat, "lon", hut->lon, "amenities",
                     words(hut->amenities));
}
