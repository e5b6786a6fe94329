/* SPDX-License-Identifier: Apache-2.0 */
#include "page_language.h"

#include <string.h>
#include <strings.h>

#define MAX_TAGS 50 /* what comes after these is not looked at */

static const struct {
    const char *english, *german;
} texts[] = {
    {"Log in", "Anmelden"},
    {"To go on to ", "Um fortzufahren zu "},
    {"User name", "Benutzername"},
    {"Password", "Passwort"},
    {"The user name or the password is wrong.", "Der Benutzername oder das Passwort ist falsch."},
    {"Too many failed log-ins; try again in ",
     "Zu viele fehlgeschlagene Anmeldungen; versuchen Sie es wieder in "},
    {" second.", " Sekunde."},
    {" seconds.", " Sekunden."},
    {"on the device that shows ", "auf dem Gerät mit der Anzeige "},
    {"Connect a device", "Ein Gerät verbinden"},
    {"Type in the code that your device shows.", "Geben Sie den Code ein, den Ihr Gerät anzeigt."},
    {"Code", "Code"},
    {"Go on", "Weiter"},
    {"Back to the application", "Zurück zur Anwendung"},
    {"Too many wrong codes. Try again in ", "Zu viele falsche Codes. Versuchen Sie es wieder in "},
    {"No device waits for this code, or it has expired.",
     "Auf diesen Code wartet kein Gerät, oder er ist abgelaufen."},
    {"Allow it only if you have just begun this yourself, on a device in front of you. Nobody ever needs you "
     "to type in a code that they sent you.",
     "Erlauben Sie es nur, wenn Sie selbst das gerade begonnen haben, an einem Gerät, das vor Ihnen steht. "
     "Niemand braucht Sie, um einen Code einzugeben, den er Ihnen geschickt hat."},
    {"Not allowed", "Nicht erlaubt"},
    {"The device was given nothing. You can close this page.",
     "Das Gerät hat nichts bekommen. Sie können diese Seite schließen."},
    {"Device connected", "Gerät verbunden"},
    {"Your device goes on by itself. You can close this page.",
     "Ihr Gerät macht von selbst weiter. Sie können diese Seite schließen."},
    {"Allow access?", "Zugriff erlauben?"},
    {" asks to be allowed, in the name of ", " möchte im Namen von "},
    {", to", " Folgendes dürfen:"},
    {"Allow", "Erlauben"},
    {"Do not allow", "Nicht erlauben"},
    {"Know that you have an account here, and call APIs in your name",
     "Wissen, dass Sie hier ein Konto haben, und in Ihrem Namen APIs aufrufen"},
    {"Know who you are (your user name)", "Wissen, wer Sie sind (Ihr Benutzername)"},
    {"Read your name", "Ihren Namen lesen"},
    {"Read your e-mail address", "Ihre E-Mail-Adresse lesen"},
    {"Manage your subscriptions in the Store", "Ihre Abonnements im Store verwalten"},
    {"Manage your applications in the Store, with their keys",
     "Ihre Anwendungen im Store verwalten, samt deren Schlüsseln"},
    {"Create and change APIs in the Publisher", "APIs im Publisher anlegen und ändern"},
    {"Publish APIs", "APIs veröffentlichen"},
    {"Administer the API manager", "Den API-Manager verwalten"},
    {"Log out?", "Abmelden?"},
    {"You are logged in as ", "Sie sind angemeldet als "},
    {"Log out", "Abmelden"},
    {"Logged out", "Abgemeldet"},
    {"You are logged out.", "Sie sind abgemeldet."},
    {"This did not work", "Das hat nicht geklappt"},
    {"Not available at the moment", "Zurzeit nicht erreichbar"},
    {"Go back to the application you came from and start there again.",
     "Gehen Sie zu der Anwendung zurück, von der Sie kommen, und beginnen Sie dort von vorn."}};

/* The language of a tag such as de-AT, without regard to region and script; NULL: not one of ours. */
static const char *language_of(const char *tag, size_t len)
{
    size_t n = 0;
    while (n < len && tag[n] != '-') {
        n++;
    }
    return n != 2                           ? NULL
           : strncasecmp(tag, "de", 2) == 0 ? "de"
           : strncasecmp(tag, "en", 2) == 0 ? "en"
                                            : NULL;
}

static const char *by_locales(const char *locales)
{
    int i;
    for (i = 0; i < MAX_TAGS && *locales; i++) {
        size_t n = strcspn(locales, " ");
        const char *language = language_of(locales, n);
        if (language) {
            return language;
        }
        locales += n;
        locales += strspn(locales, " ");
    }
    return NULL;
}

/* Thousandths of a weight ";q=0.8"; 1000 where there is none. What is no weight counts as 0. */
static int weight_of(const char *item, size_t len)
{
    const char *mark = memchr(item, ';', len), *end = item + len;
    int value, unit = 1000;
    if (!mark) {
        return 1000;
    }
    for (mark++; mark < end && (*mark == ' ' || *mark == '\t'); mark++) {
    }
    if (end - mark < 3 || strncasecmp(mark, "q=", 2) != 0 || (mark[2] != '0' && mark[2] != '1')) {
        return 0;
    }
    value = mark[2] == '1' ? 1000 : 0;
    for (mark += 3; value < 1000 && unit > 1 && mark < end; mark++) {
        if (*mark >= '0' && *mark <= '9') {
            unit /= 10;
            value += (*mark - '0') * unit;
        }
        else if (*mark != '.') {
            break;
        }
    }
    return value;
}

static const char *by_header(const char *accept)
{
    const char *best = NULL;
    int i, most = 0;
    for (i = 0; i < MAX_TAGS && *accept; i++) {
        size_t n;
        const char *language;
        accept += strspn(accept, " \t,");
        n = strcspn(accept, ",");
        language = language_of(accept, strcspn(accept, " \t,;"));
        if (language && weight_of(accept, n) > most) {
            most = weight_of(accept, n);
            best = language;
        }
        accept += n;
    }
    return best;
}

const char *km_language_choose(const char *locales, const char *accept)
{
    const char *language = locales ? by_locales(locales) : NULL;
    if (!language && accept) {
        language = by_header(accept);
    }
    return language ? language : "en";
}

const char *km_language_text(const char *language, const char *text)
{
    size_t i;
    for (i = 0; strcmp(language, "de") == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(text, texts[i].english) == 0) {
            return texts[i].german;
        }
    }
    return text;
}
