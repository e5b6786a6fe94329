/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_CTL_H
#define APIM_CTL_H

#include "apim_db.h"

/* Exit codes of apimctl. */
enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* What was said on the command line or in the environment. */
typedef struct ctl_options_t {
    apr_pool_t *pool;
    const char *driver;             /* --driver, APIM_DB_DRIVER: "sqlite3" or "pgsql" */
    const char *params;             /* --params, APIM_DB_PARAMS: as in DBDParams */
    const char *api_manager_params; /* --api-manager-params: where am_* lives, if it is another database */
    const char *database;           /* --database: NULL for all */
    const char *sql_dir;            /* --sql-dir, APIM_SQL_DIR */
    const char *roles;              /* --roles */
    const char *email;              /* --email */
    const char *password_file;      /* --password-file: NULL for standard input */
    int json;                       /* --json */
    const char *const *args;        /* what is left: names */
    int nargs;
} ctl_options_t;

/** Opens the database named by the options. With must_exist, a SQLite file that is not there is an error
 * instead of a new, empty database. The caller closes it; it goes with p at the latest. */
apim_error_t *ctl_open(const ctl_options_t *o, apr_pool_t *p, const char *params, int must_exist,
                       apim_db_t **db);

/** Version of a database's schema ("user_manager"); 0 if it is not there. */
apim_error_t *ctl_schema_version(const ctl_options_t *o, const char *params, const char *database,
                                 apr_int64_t *version);

/** The databases, in the order in which they are migrated. NULL ends the list. */
extern const char *const ctl_databases[];

/* -- commands: each returns NULL or what went wrong ------------------------------------------------------ */

/** apimctl migrate: see docs/apimctl.md. */
apim_error_t *ctl_migrate(const ctl_options_t *o);
/** apimctl schema-version */
apim_error_t *ctl_show_versions(const ctl_options_t *o);
/** apimctl feed new-epoch */
apim_error_t *ctl_new_epoch(const ctl_options_t *o);
/** apimctl nodes */
apim_error_t *ctl_nodes(const ctl_options_t *o);

apim_error_t *ctl_user_add(const ctl_options_t *o);
apim_error_t *ctl_user_set_password(const ctl_options_t *o);
apim_error_t *ctl_user_show(const ctl_options_t *o);
apim_error_t *ctl_user_lock(const ctl_options_t *o);
apim_error_t *ctl_user_unlock(const ctl_options_t *o);

/** Reads a password from o->password_file, or from standard input (a terminal is asked without echo). */
apim_error_t *ctl_read_password(const ctl_options_t *o, const char **password);

#endif
