/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl.h"

#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef APIM_DEFAULT_SQL_DIR
#error "APIM_DEFAULT_SQL_DIR comes from the Makefile"
#endif

enum {
    OPT_DRIVER = 256,
    OPT_PARAMS,
    OPT_AM_PARAMS,
    OPT_DATABASE,
    OPT_SQL_DIR,
    OPT_ROLES,
    OPT_EMAIL,
    OPT_PASSWORD_FILE,
    OPT_JSON
};

static const apr_getopt_option_t option_table[] = {
    {"driver", OPT_DRIVER, 1, NULL},
    {"params", OPT_PARAMS, 1, NULL},
    {"api-manager-params", OPT_AM_PARAMS, 1, NULL},
    {"database", OPT_DATABASE, 1, NULL},
    {"sql-dir", OPT_SQL_DIR, 1, NULL},
    {"roles", OPT_ROLES, 1, NULL},
    {"email", OPT_EMAIL, 1, NULL},
    {"password-file", OPT_PASSWORD_FILE, 1, NULL},
    {"json", OPT_JSON, 0, NULL},
    {"help", 'h', 0, NULL},
    {NULL, 0, 0, NULL},
};

typedef struct command_t {
    const char *group; /* first word of two, or NULL */
    const char *name;
    int nargs;
    apim_error_t *(*run)(const ctl_options_t *o);
    const char *usage;
    const char *help;
} command_t;

static const command_t commands[] = {
    {NULL, "migrate", 0, ctl_migrate, "[--database NAME] [--sql-dir DIR]",
     "brings the schema of user_manager, api_manager, registry or all (default) up to date;\n"
     "      safe to run twice and by two at once, refuses a database newer than this release"},
    {NULL, "schema-version", 0, ctl_show_versions, "", "lists the migrations that this database has"},
    {"user", "add", 1, ctl_user_add, "NAME [--roles R,R] [--email E] [--password-file F]",
     "adds a user; the password is the first line of F or of standard input"},
    {"user", "set-password", 1, ctl_user_set_password, "NAME [--password-file F]", "changes a password"},
    {"user", "list", 0, ctl_user_show, "", "lists users with status and roles"},
    {"user", "lock", 1, ctl_user_lock, "NAME [--api-manager-params P]",
     "stops a user from logging in and calling APIs"},
    {"user", "unlock", 1, ctl_user_unlock, "NAME [--api-manager-params P]", "undoes lock"},
    {"feed", "new-epoch", 0, ctl_new_epoch, "[--database NAME]",
     "after a backup was restored: makes every gateway read its feed from the start"},
    {NULL, "nodes", 0, ctl_nodes, "[--json]",
     "lists the nodes of the cluster (registry database): roles, versions, revisions, whether they live"},
};
#define COMMANDS ((int)(sizeof(commands) / sizeof(commands[0])))

static int usage(FILE *out, int rc)
{
    int i;
    fprintf(out, "apimctl: jobs an administrator has with the databases of the API manager\n\n"
                 "usage: apimctl COMMAND --driver sqlite3|pgsql --params \"PARAMS\" [options]\n\n");
    for (i = 0; i < COMMANDS; i++) {
        const command_t *c = &commands[i];
        fprintf(out, "  %s%s%s %s\n      %s\n", c->group ? c->group : "", c->group ? " " : "", c->name,
                c->usage, c->help);
    }
    fprintf(
        out,
        "\nPARAMS are what DBDParams says in httpd.conf: a file name for sqlite3, a connection string\n"
        "for pgsql. In place of --driver and --params stand the environment variables APIM_DB_DRIVER and\n"
        "APIM_DB_PARAMS (other users of this machine can read command lines). APIM_SQL_DIR stands for\n"
        "--sql-dir, by default " APIM_DEFAULT_SQL_DIR ".\n\n"
        "Exit status: 0 done, 1 failed (nothing was changed by the step that failed), 2 wrong usage.\n");
    return rc;
}

static int misused(const char *what, const char *about)
{
    fprintf(stderr, "apimctl: %s%s%s; apimctl --help tells more\n", what, about ? ": " : "",
            about ? about : "");
    return CTL_USAGE;
}

/* Takes the words of the command off the arguments; NULL if there is no such command. */
static const command_t *find_command(const char *const *words, int n, int *used)
{
    int i;
    for (i = 0; i < COMMANDS; i++) {
        const command_t *c = &commands[i];
        int first = c->group ? 1 : 0;
        if (n > first && (!c->group || strcmp(words[0], c->group) == 0) &&
            strcmp(words[first], c->name) == 0) {
            *used = first + 1;
            return c;
        }
    }
    return NULL;
}

static void set_option(ctl_options_t *o, int opt, const char *value)
{
    switch (opt) {
    case OPT_DRIVER:
        o->driver = value;
        break;
    case OPT_PARAMS:
        o->params = value;
        break;
    case OPT_AM_PARAMS:
        o->api_manager_params = value;
        break;
    case OPT_DATABASE:
        o->database = value;
        break;
    case OPT_SQL_DIR:
        o->sql_dir = value;
        break;
    case OPT_ROLES:
        o->roles = value;
        break;
    case OPT_JSON:
        o->json = 1;
        break;
    case OPT_EMAIL:
        o->email = value;
        break;
    default:
        o->password_file = value;
        break;
    }
}

static const char *from_env(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value && *value ? value : fallback;
}

/* Returns -1 to go on, else the exit status. */
static int check_options(ctl_options_t *o)
{
    int i;
    if (!o->driver || !o->params) {
        return misused("say --driver sqlite3|pgsql and --params", "as DBDriver and DBDParams in httpd.conf");
    }
    if (strcmp(o->driver, "sqlite3") != 0 && strcmp(o->driver, "pgsql") != 0) {
        return misused("--driver is sqlite3 or pgsql, not", o->driver);
    }
    if (o->database && strcmp(o->database, "all") == 0) {
        o->database = NULL;
    }
    for (i = 0; o->database && ctl_databases[i] && strcmp(ctl_databases[i], o->database) != 0; i++) {
    }
    if (o->database && !ctl_databases[i]) {
        return misused("--database is user_manager, api_manager, registry or all, not", o->database);
    }
    return -1;
}

static int run(const command_t *c, const ctl_options_t *o)
{
    apim_error_t *err = c->run(o);
    if (!err) {
        return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
    }
    fflush(stdout);
    fprintf(stderr, "apimctl: %s%s%s%s\n", err->description, err->cause ? " (" : "",
            err->cause ? err->cause : "", err->cause ? ")" : "");
    return CTL_FAILED;
}

static int parse_and_run(apr_pool_t *p, int argc, const char *const *argv)
{
    ctl_options_t o = {.pool = p};
    const command_t *c;
    apr_getopt_t *os;
    apr_status_t rv;
    const char *value;
    int opt, used = 0, rc;
    o.driver = from_env("APIM_DB_DRIVER", NULL);
    o.params = from_env("APIM_DB_PARAMS", NULL);
    o.sql_dir = from_env("APIM_SQL_DIR", APIM_DEFAULT_SQL_DIR);
    apr_getopt_init(&os, p, argc, argv);
    os->interleave = 1;
    while ((rv = apr_getopt_long(os, option_table, &opt, &value)) == APR_SUCCESS) {
        if (opt == 'h') {
            return usage(stdout, CTL_OK);
        }
        set_option(&o, opt, value);
    }
    if (rv != APR_EOF) {
        return CTL_USAGE; /* apr_getopt_long has said why */
    }
    o.args = (const char *const *)os->argv + os->ind;
    o.nargs = argc - os->ind;
    if (!o.nargs) {
        return usage(stderr, CTL_USAGE);
    }
    c = find_command(o.args, o.nargs, &used);
    if (!c) {
        return misused("there is no command", o.args[0]);
    }
    o.args += used;
    o.nargs -= used;
    if (o.nargs != c->nargs) {
        return misused(c->nargs ? "name one user" : "too many words after", c->name);
    }
    rc = check_options(&o);
    return rc >= 0 ? rc : run(c, &o);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *p;
    int rc;
    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS) {
        return CTL_FAILED;
    }
    apr_pool_create(&p, NULL);
    apr_dbd_init(p);
    rc = parse_and_run(p, argc, argv);
    apr_pool_destroy(p);
    apr_terminate();
    return rc;
}
