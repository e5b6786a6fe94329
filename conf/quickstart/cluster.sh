# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2153
# ./quickstart --cluster: every role on httpds of its own, on PostgreSQL, with both balancers. Read by ./quickstart, whose
# functions and variables it uses. A node is a name: DIR/nodes/<name> is its ServerRoot, DIR/conf/<name>.conf its
# configuration, DIR/run/<name>.pid its process, NODE_PORT[<name>] its port.

GATEWAYS="gateway1 gateway2 gateway3"
KEYMGRS="keymgr1 keymgr2"
PORTALS="portal1 portal2"
NODES="$KEYMGRS lb-internal $PORTALS $GATEWAYS lb-external" # in the order in which they start
DATABASES="user_manager api_manager registry"
PACKAGES="$PACKAGES libaprutil1-dbd-pgsql"
# Whichever PostgreSQL is there will do.
if [ -z "$(find /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /usr/local/bin -maxdepth 1 -name initdb 2>/dev/null)" ] || ! command -v psql >/dev/null; then
    PACKAGES="$PACKAGES postgresql"
fi
declare -A NODE_PORT
PG_PORT=
PG_USER=
SCHEME=http
TLS=${APIM_CLUSTER_TLS:-}

role_of_node() { # node: the file of conf/ that it runs
    case $1 in lb-*) printf '%s' "$1" ;; *) printf '%s' "${1%%[0-9]*}" ;; esac
}

node_url() { # node, as other nodes and tools on this machine call it
    if [ "$1" = lb-external ]; then printf 'http'; else printf '%s' "$SCHEME"; fi
    printf '://%s:%s' "$NODE_HOST" "${NODE_PORT[$1]}"
}

# -- ports: chosen once, kept in a file ------------------------------------------------------------------------------------------

choose_ports() {
    local file=$DIR/run/ports name port=$PORT
    case $LISTEN in 0.0.0.0 | '*') NODE_HOST=127.0.0.1 ;; *) NODE_HOST=$LISTEN ;; esac
    if [ -s "$file" ] && [ -e "$DIR/data/complete" ]; then
        while read -r name port; do NODE_PORT[$name]=$port; done <"$file"
        NODE_PORT[lb-external]=$PORT
    else
        NODE_PORT[lb-external]=$PORT
        for name in ${NODES% *} backend postgresql; do
            port=$((port + 1))
            while [ -n "$(port_owner "$port")" ]; do port=$((port + 1)); done
            [ "$port" -le 65535 ] || die "not enough free ports above $PORT." "Choose a lower APIM_PORT."
            NODE_PORT[$name]=$port
        done
    fi
    for name in "${!NODE_PORT[@]}"; do
        printf '%s %s\n' "$name" "${NODE_PORT[$name]}"
        [ "$name" = postgresql ] && pg_running ||
            [ -z "$(port_owner "${NODE_PORT[$name]}")" ] ||
            die "port ${NODE_PORT[$name]} of $name is taken: $(port_owner "${NODE_PORT[$name]}") listens on it." \
                "Stop that, or begin anew: ./quickstart --cluster reset"
    done >"$file.new"
    mv "$file.new" "$file"
    PG_PORT=${NODE_PORT[postgresql]}
    BACKEND_PORT=${NODE_PORT[backend]}
}

read_ports() {
    local name port
    NODE_HOST=127.0.0.1
    case $LISTEN in 0.0.0.0 | '*') ;; *) NODE_HOST=$LISTEN ;; esac
    while read -r name port; do NODE_PORT[$name]=$port; done <"$DIR/run/ports" 2>/dev/null || return 1
    [ ! -e "$DIR/run/tls" ] || SCHEME=https
    PG_PORT=${NODE_PORT[postgresql]}
    BACKEND_PORT=${NODE_PORT[backend]}
}

# -- PostgreSQL --------------------------------------------------------------------------------------------------------------------

pg_tool() { # program, arguments...: as the user who owns the cluster
    local tool
    tool=$(find /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /usr/local/bin /usr/bin -maxdepth 1 -name "$1" 2>/dev/null | sort -V | tail -n 1)
    [ -n "$tool" ] || die "PostgreSQL's $1 was not found." "Install PostgreSQL 13 or later; on Debian: apt-get install postgresql"
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid "$PG_USER" --regid "$(id -gn "$PG_USER")" --clear-groups -- "$tool" "${@:2}")
    else
        "$tool" "${@:2}"
    fi
}

pg_running() { [ -s "$DIR/pg/postmaster.pid" ] && kill -0 "$(head -n 1 "$DIR/pg/postmaster.pid")" 2>/dev/null; }

pg_owner() {
    PG_USER=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        if id postgres >/dev/null 2>&1; then PG_USER=postgres; else PG_USER=nobody; fi
    fi
}

password_of() { # PostgreSQL role
    [ -s "$DIR/secrets/$1" ] || (umask 077 && openssl rand -hex 16 >"$DIR/secrets/$1")
    cat "$DIR/secrets/$1"
}

# What DBDParams says for a role. Passwords stand in a file of libpq's, readable by httpd's children alone.
pg_params() { # PostgreSQL role, database
    printf 'host=127.0.0.1 port=%s dbname=apim_%s user=%s passfile=%s connect_timeout=3 tcp_user_timeout=5000 application_name=%s' \
        "$PG_PORT" "$2" "$1" "$DIR/secrets/$1.pgpass" "$1"
}

pg_sql() { # database, SQL: as superuser
    PGPASSFILE=$DIR/secrets/postgres.pgpass psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres -d "$1" -c "$2"
}

write_pgpass() { # PostgreSQL role, who reads it
    (umask 077 && printf '127.0.0.1:%s:*:%s:%s\n' "$PG_PORT" "$1" "$(password_of "$1")" >"$DIR/secrets/$1.pgpass")
    [ "$(id -u)" -ne 0 ] || chown "$2" "$DIR/secrets/$1.pgpass"
}

pg_create() {
    local log=$DIR/logs/initdb.log
    [ -s "$DIR/pg/PG_VERSION" ] && return 0
    say "creating a PostgreSQL cluster in $DIR/pg"
    rm -rf "$DIR/pg"
    mkdir -m 700 "$DIR/pg"
    (umask 077 && password_of postgres >"$DIR/pg.password")
    [ "$(id -u)" -ne 0 ] || chown -R "$PG_USER" "$DIR/pg" "$DIR/pg.password"
    if ! pg_tool initdb -D "$DIR/pg" -U postgres -A scram-sha-256 --pwfile "$DIR/pg.password" -E UTF8 --locale=C.UTF-8 >"$log" 2>&1; then
        rm -f "$DIR/pg.password"
        show_end_of "$log" 10
        die "initdb failed."
    fi
    rm -f "$DIR/pg.password"
    cat >>"$DIR/pg/postgresql.conf" <<TEXT
# ./quickstart --cluster
port = $PG_PORT
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
TEXT
}

pg_start() {
    local log=$DIR/pg/server.log # where its user may write
    pg_running && return 0
    sed -i "s/^port = .*/port = $PG_PORT/" "$DIR/pg/postgresql.conf"
    if ! pg_tool pg_ctl -D "$DIR/pg" -l "$log" -w -t 60 start >/dev/null 2>&1 9>&-; then
        show_end_of "$log" 10
        die "PostgreSQL did not start." "Its log is $log."
    fi
}

pg_stop() {
    pg_owner
    ! pg_running || pg_tool pg_ctl -D "$DIR/pg" -w -t 60 -m fast stop >/dev/null 2>&1 || true
}

# Three databases, their owner, and the three roles of the nodes, each with what its nodes need (sql/*/grants.sql).
pg_fill() {
    local role database
    for role in postgres apim_owner; do write_pgpass "$role" "$(id -un)"; done
    for role in apim_gateway apim_keymgr apim_portal; do write_pgpass "$role" "${RUN_USER:-$(id -un)}"; done
    for role in apim_owner apim_gateway apim_keymgr apim_portal; do
        pg_sql postgres "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$role') THEN
            CREATE ROLE $role LOGIN; END IF; END \$\$; ALTER ROLE $role PASSWORD '$(password_of "$role")'"
    done
    for database in $DATABASES; do
        if [ -z "$(PGPASSFILE=$DIR/secrets/postgres.pgpass psql -X -A -t -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres \
            -c "SELECT 1 FROM pg_database WHERE datname = 'apim_$database'")" ]; then
            pg_sql postgres "CREATE DATABASE apim_$database OWNER apim_owner"
            pg_sql postgres "REVOKE ALL ON DATABASE apim_$database FROM PUBLIC;
                GRANT CONNECT ON DATABASE apim_$database TO apim_keymgr, apim_portal"
            [ "$database" = user_manager ] || pg_sql postgres "GRANT CONNECT ON DATABASE apim_$database TO apim_gateway"
        fi
    done
}

ctl() { # database, apimctl's arguments...
    APIM_SQL_DIR=$SOURCE/sql APIM_DB_DRIVER=pgsql APIM_DB_PARAMS=$(pg_params apim_owner "$1") "$BUILD/apimctl" "${@:2}"
}

cluster_migrate() {
    local database log=$DIR/logs/migrate.log
    : >"$log"
    for database in $DATABASES; do
        if ! ctl "$database" migrate --database "$database" >>"$log" 2>&1; then
            show_end_of "$log" 10
            die "the database apim_$database could not be brought up to date." "To begin anew, without what it holds: ./quickstart --cluster reset"
        fi
    done
}

# -- certificates, where nodes are to talk TLS ---------------------------------------------------------------------------------------

make_certificates() {
    local tls=$DIR/tls
    [ -n "$TLS" ] || {
        rm -f "$DIR/run/tls"
        return 0
    }
    SCHEME=https
    touch "$DIR/run/tls"
    [ -s "$tls/client.pem" ] && return 0
    say "making a certificate authority and certificates for the nodes"
    mkdir -p "$tls"
    chmod 700 "$tls"
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=quickstart cluster" \
            -addext basicConstraints=critical,CA:true,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
            -keyout "$tls/ca.key" -out "$tls/ca.pem" &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=node" -keyout "$tls/node.key" -out "$tls/node.csr" &&
            openssl x509 -req -in "$tls/node.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -days 825 -out "$tls/node.pem" -extfile <(
                printf 'subjectAltName=IP:127.0.0.1,IP:%s,DNS:localhost,DNS:*.apim.internal\nextendedKeyUsage=serverAuth,clientAuth\n' "$NODE_HOST"
            )
    } >"$DIR/logs/tls.log" 2>&1 || {
        show_end_of "$DIR/logs/tls.log" 5
        die "openssl could not make the certificates."
    }
    cat "$tls/node.pem" "$tls/node.key" >"$tls/client.pem"
    # The sync of a gateway in a DMZ reads its certificate in the children.
    [ "$(id -u)" -ne 0 ] || chown -R "$RUN_USER" "$tls"
}

# -- the nodes -----------------------------------------------------------------------------------------------------------------------

write_members() {
    local name file parameters="hctemplate=apim-health connectiontimeout=1 ttl=60"
    mkdir -p "$DIR/conf/members"
    for file in gateways portals keymgrs; do : >"$DIR/conf/members/$file.conf"; done
    for name in $GATEWAYS; do
        echo "BalancerMember \"$(node_url "$name")\" $parameters retry=1 timeout=70" >>"$DIR/conf/members/gateways.conf"
    done
    for name in $PORTALS; do
        echo "BalancerMember \"$(node_url "$name")\" $parameters retry=1 timeout=70" >>"$DIR/conf/members/portals.conf"
    done
    for name in $KEYMGRS; do
        echo "BalancerMember \"$(node_url "$name")\" $parameters retry=2 timeout=3" >>"$DIR/conf/members/keymgrs.conf"
    done
}

define() { while [ $# -gt 1 ]; do printf 'Define %s "%s"\n' "$1" "$2" && shift 2; done; }

write_node() { # node
    local name=$1 role state=$DIR/nodes/$1 database pg
    role=$(role_of_node "$name")
    mkdir -p "$state"/{run,logs,htdocs,replica,local}
    [ "$(id -u)" -ne 0 ] || chown -R "$RUN_USER:$RUN_GROUP" "$state/replica"
    ln -sf "$DIR/cluster.secret" "$state/cluster.secret"
    {
        echo "# Written by ./quickstart --cluster at each start; the settings are in the included files."
        define HTTPD_MODULES "$(made APXS_LIBEXECDIR)" APIM_MODULES "$BUILD/.libs" APIM_CONF "$SOURCE/conf" APIM_ROLE "$role" \
            APIM_NODE "$name" APIM_STATE "$state" APIM_LOGS "$state/logs" APIM_PIDFILE "$DIR/run/$name.pid" \
            APIM_LISTEN "$LISTEN" APIM_PORT "${NODE_PORT[$name]}" APIM_URL "$URL" APIM_MEMBERS "$DIR/conf/members" \
            APIM_KEYMGR "$(node_url lb-internal)" APIM_BALANCERS "127.0.0.1" APIM_LOCAL "$DIR/conf/local" APIM_PAGES "$(pages)"
        [ -z "$RUN_USER" ] || define APIM_USER "$RUN_USER" APIM_GROUP "$RUN_GROUP"
        [ -z "$TLS" ] || define APIM_TLS "$DIR/tls"
        case $role in
        gateway | lb-*) echo "Define APIM_LOAD_GATEWAY" ;;
        keymgr) echo "Define APIM_LOAD_KEYMGR" ;;
        portal) printf 'Define %s\n' APIM_LOAD_PORTAL APIM_PUBLISHER APIM_STORE APIM_ADMIN ;;
        esac
        case $role in
        gateway) define APIM_DB_API_MANAGER "$(pg_params apim_gateway api_manager)" APIM_DB_REGISTRY "$(pg_params apim_gateway registry)" ;;
        keymgr | portal)
            for database in $DATABASES; do define "APIM_DB_${database^^}" "$(pg_params "apim_$role" "$database")"; done
            ;;
        esac
        echo "Include \"$SOURCE/conf/quickstart/node.conf\""
    } >"$DIR/conf/$name.conf"
}

write_backend() {
    {
        echo "# Written by ./quickstart --cluster at each start."
        define HTTPD_MODULES "$(made APXS_LIBEXECDIR)" APIM_MODULES "$BUILD/.libs" APIM_CONF "$SOURCE/conf" APIM_SAMPLE "$SOURCE/sample" \
            APIM_STATE "$DIR" APIM_LOGS "$DIR/logs" APIM_BACKEND_PORT "$BACKEND_PORT"
        [ -z "$RUN_USER" ] || define APIM_USER "$RUN_USER" APIM_GROUP "$RUN_GROUP"
        echo "Include \"$SOURCE/conf/quickstart/backend.conf\""
    } >"$DIR/conf/backend.conf"
}

ask_node() { # node, path: curl to the node itself, with this cluster's certificate
    local certificate=()
    [ "$SCHEME" = http ] || certificate=(--cacert "$DIR/tls/ca.pem" --cert "$DIR/tls/client.pem")
    curl -s --noproxy '*' -m 2 ${certificate[@]+"${certificate[@]}"} "$(node_url "$1")$2" || true
}

wait_for_node() { # node
    local i
    for ((i = 0; i < 300; i++)); do
        [[ $(ask_node "$1" /apim-health) != '{"status":"UP"'* ]] || return 0
        sleep 0.05
    done
    show_end_of "$DIR/logs/$1.start" 10
    show_end_of "$DIR/nodes/$1/logs/error.log" 15
    die "$1 was started but does not say that it can serve: $(ask_node "$1" /apim-health)" "Its log is $DIR/nodes/$1/logs/error.log."
}

# Balancers have no role; their health is whether they answer.
wait_for_balancer() { # URL through it
    local i
    for ((i = 0; i < 300; i++)); do
        [ "$(curl -s --noproxy '*' -o /dev/null -m 2 -w '%{http_code}' "$1" || true)" != 200 ] || return 0
        sleep 0.05
    done
    show_end_of "$DIR/nodes/lb-external/logs/error.log" 10
    show_end_of "$DIR/nodes/lb-internal/logs/error.log" 10
    die "the external balancer does not answer at $1." "The logs are in $DIR/nodes/*/logs."
}

# -- demo.json -----------------------------------------------------------------------------------------------------------------------

add_nodes_to_demo() {
    local name list=()
    for name in $NODES; do
        list+=("$(jq -n --arg name "$name" --arg role "$(role_of_node "$name")" --arg url "$(node_url "$name")" \
            --arg pidfile "$DIR/run/$name.pid" --arg conf "$DIR/conf/$name.conf" --arg log "$DIR/nodes/$name/logs/error.log" \
            '{name: $name, roles: [$role], url: $url, pidfile: $pidfile, conf: $conf, error_log: $log}')")
    done
    (
        umask 077
        printf '%s\n' "${list[@]}" | jq -s --slurpfile demo "$DEMO" --arg pgdata "$DIR/pg" --argjson port "$PG_PORT" --arg httpd "$(made HTTPD)" \
            '$demo[0] + {nodes: ., httpd: $httpd, postgresql: {pgdata: $pgdata, port: $port, host: "127.0.0.1",
              databases: ["apim_user_manager", "apim_api_manager", "apim_registry"]}}' >"$DEMO.new"
        mv "$DEMO.new" "$DEMO"
    )
}

# -- commands --------------------------------------------------------------------------------------------------------------------------

cluster_running() {
    local name
    for name in $NODES backend; do pid_of "$name" >/dev/null || return 1; done
    pg_running
}

cluster_stop_all() {
    local name
    for name in lb-external $GATEWAYS $PORTALS lb-internal $KEYMGRS backend; do stop_one "$name"; done
    pg_stop
}

# Stopping ten httpds one after another takes ten times as long: all are told first.
cluster_stop_fast() {
    local name pid
    for name in $NODES backend; do
        if pid=$(pid_of "$name"); then kill -TERM "$pid" 2>/dev/null || true; fi
    done
    cluster_stop_all
}

cluster_start() {
    local fresh='' name
    check_settings
    URL=${APIM_URL:-http://127.0.0.1:$PORT}
    URL=${URL%/}
    case $LISTEN in 0.0.0.0 | '*') LOCAL=http://127.0.0.1:$PORT ;; *) LOCAL=http://$LISTEN:$PORT ;; esac
    open_directory
    touch "$DIR/.cluster"
    if [ -e "$DIR/data/complete" ] && read_ports && cluster_running; then
        read_demo
        echo "It is up already, since $(stat -c %y "$DIR/run/lb-external.pid" | cut -c 1-19)."
        cluster_facts
        return 0
    fi
    trap on_exit EXIT
    trap 'exit 130' INT TERM
    STARTED=yes
    cluster_stop_fast
    check_port
    install_packages
    build
    pg_owner
    if [ ! -e "$DIR/data/complete" ]; then # a set-up that was not finished is done anew
        rm -rf "$DIR"/{data,pg,nodes,secrets}
        fresh=yes
    fi
    mkdir -p "$DIR"/{data,nodes,secrets,conf/local}
    chmod 750 "$DIR"/{data,logs}
    # Children of several users go through to what is theirs.
    chmod 711 "$DIR/secrets"
    choose_ports
    make_secret
    give_to_children
    make_certificates
    pg_create
    say "starting PostgreSQL on port $PG_PORT: apim_user_manager, apim_api_manager, apim_registry"
    pg_start
    pg_fill
    cluster_migrate
    if [ -n "$fresh" ]; then
        cluster_add_admin
    else
        read_demo
    fi
    write_members
    write_backend
    for name in $NODES; do write_node "$name"; done
    say "starting 2 Key Managers, 2 portals, 3 gateways, both balancers, the sample back end"
    start_one backend
    for name in $NODES; do start_one "$name"; done
    wait_for backend "http://127.0.0.1:$BACKEND_PORT/health"
    for name in $KEYMGRS $PORTALS $GATEWAYS; do wait_for_node "$name"; done
    wait_for_balancer "$LOCAL/.well-known/oauth-authorization-server"
    wait_for_balancer "$LOCAL/api/am/devportal/v3/apis"
    if [ -n "$fresh" ]; then
        publish_sample
        subscribe_sample
    fi
    say "calling it through the external balancer"
    check_call
    write_demo
    add_nodes_to_demo
    touch "$DIR/data/complete"
    STARTED=
    say "up"
    cluster_facts
}

cluster_add_admin() {
    say "adding the user admin"
    ADMIN_PASSWORD=$(new_password)
    if ! ctl user_manager user add admin --roles admin <<<"$ADMIN_PASSWORD" >"$DIR/logs/users.log" 2>&1; then
        show_end_of "$DIR/logs/users.log" 5
        die "the user admin could not be added." "To begin anew: ./quickstart --cluster reset"
    fi
}

cluster_table() {
    local name pid state health version revision
    printf '  %-12s %-12s %-24s %-8s %-7s %-8s %s\n' NODE ROLE URL PROCESS STATE VERSION REVISION
    for name in $NODES; do
        pid=$(pid_of "$name") || pid=-
        health=$(ask_node "$name" /apim-health)
        if [ "$pid" = - ]; then
            state=DOWN version=- revision=-
        elif [[ $(role_of_node "$name") == lb-* ]]; then
            state=UP version=httpd revision=-
        elif read -r state version revision < <(jq -r '[.status, .version, (.roles.gateway.revision // "-")] | join(" ")' <<<"$health" 2>/dev/null); then
            :
        else
            state=SILENT version=- revision=-
        fi
        printf '  %-12s %-12s %-24s %-8s %-7s %-8s %s\n' "$name" "$(role_of_node "$name")" "$(node_url "$name")" "$pid" "$state" "$version" "$revision"
    done
    if pg_running; then state=UP pid=$(head -n 1 "$DIR/pg/postmaster.pid"); else state=DOWN pid=-; fi
    printf '  %-12s %-12s %-24s %-8s %s\n' postgresql databases "127.0.0.1:$PG_PORT" "$pid" "$state"
}

cluster_facts() {
    echo
    cluster_table
    facts
}

cluster_stop() {
    if [ -e "$DIR/.cluster" ] && { pg_running || [ -n "$(for n in $NODES backend; do pids_of "$n"; done)" ]; }; then
        cluster_stop_fast
        echo "Stopped. ./quickstart --cluster starts it again with everything that is there; ./quickstart --cluster reset deletes it."
    else
        echo "It is not running."
    fi
}

cluster_status() {
    local down=0 name
    if [ ! -e "$DIR/.cluster" ] || ! read_ports; then
        echo "down: there is no cluster in $DIR"
        return 3
    fi
    for name in $NODES backend; do pid_of "$name" >/dev/null || down=$((down + 1)); done
    pg_running || down=$((down + 1))
    if [ "$down" -eq 0 ]; then echo "up: logs in $DIR/nodes/*/logs"; else echo "$down of 11 processes are down; ./quickstart --cluster starts them"; fi
    echo
    cluster_table
    [ "$down" -eq 0 ] || return 3
    if [ -r "$DEMO" ]; then facts; fi
}

cluster_reset() {
    if [ ! -e "$DIR" ]; then
        echo "There is no $DIR: nothing to reset."
        return 0
    fi
    [ -e "$DIR/.cluster" ] || die "$DIR was not made by ./quickstart --cluster; it is left alone."
    cluster_stop_fast
    rm -rf "$DIR"/{conf,data,pg,nodes,secrets,tls,logs,run,replica,htdocs,cluster.secret,demo.json,demo.json.new,.lock,.quickstart,.cluster} 2>/dev/null ||
        die "$(id -un) cannot delete all of $DIR." "Run it as the user who started it, or with sudo."
    rmdir "$DIR" 2>/dev/null || true
    echo "Deleted $DIR. ./quickstart --cluster begins anew."
}
