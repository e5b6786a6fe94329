# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # read by bench/run, whose variables it uses; nginx's variables stand in single quotes
# What bench/run --peers measures beside the gateway: each checks the same bearer token, knows who calls and what for, counts against three
# limits, and proxies to the same back end over kept-alive connections. Where a peer has no words for a part of that, it does less, and
# that part is named. Each function peer_NAME starts one and sets ADDRESS, HEADER and PIDFILE of NAME.

PEERS=(haproxy_jwt nginx_auth nginx_lua openidc_intro openidc_jwt oauth2_intro oauth2_jwt node)
PEER_PACKAGES=(haproxy nginx-light libnginx-mod-http-lua libapache2-mod-auth-openidc libapache2-mod-oauth2 nodejs python3-jwcrypto)

peer_prepare() { # the public key, a client that may ask for introspection
    local app
    rest GET "$URL/oauth2/jwks" >"$WORK/jwks.json"
    PEER_KEY=$WORK/key.pem
    /usr/bin/python3 - "$WORK/jwks.json" "${HEADER[jwt]#Authorization: Bearer }" >"$PEER_KEY" <<'PY'
import base64, json, sys
from jwcrypto import jwk
head = sys.argv[2].split(".")[0]
kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
keys = json.load(open(sys.argv[1], encoding="utf-8"))["keys"]
sys.stdout.write(jwk.JWK(**next(k for k in keys if k["kid"] == kid)).export_to_pem().decode())
PY
    app=$(subscribed_app BenchResourceServer OAUTH)
    PEER_CLIENT=$(rest POST "$STORE/applications/$app/generate-keys" -H "Authorization: Bearer $SUBSCRIBER" -H 'Content-Type: application/json' \
        -d '{"keyType":"PRODUCTION","grantTypesToBeSupported":["client_credentials"],"validityTime":36000}' | jq -r '.consumerKey + ":" + .consumerSecret')
    # A client may look into its own tokens only.
    HEADER[own]="Authorization: Bearer $(rest POST "$URL/oauth2/token" -u "$PEER_CLIENT" -d grant_type=client_credentials | jq -r .access_token)"
}

peer_at() { # name, port, credentials of (opaque|jwt), directory: made, with its pid file
    ADDRESS[$1]=http://127.0.0.1:$2/items
    HEADER[$1]=${HEADER[$3]}
    mkdir -p "$WORK/$1"
    PIDFILE[$1]=$WORK/$1/pid
}

# Signature, algorithm, expiry, client, scope; three stick tables. No access log, no API: one front end is one API.
peer_haproxy_jwt() {
    local n
    peer_at haproxy_jwt $((PORT + 4)) jwt
    {
        printf 'global\n    pidfile %s\n    nbthread %s\n    maxconn 4096\n    ssl-load-extra-files none\n' "${PIDFILE[haproxy_jwt]}" "$(nproc)"
        printf 'defaults\n    mode http\n    timeout client 60s\n    timeout server 60s\n    timeout connect 5s\n    option http-keep-alive\n    http-reuse always\n'
        for n in 0 1 2; do
            printf 'backend table%s\n    stick-table type string len 64 size 100k expire 60s store http_req_rate(60s)\n' "$n"
        done
        cat <<CONF
frontend in
    bind 127.0.0.1:$((PORT + 4))
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.alg) var(txn.token),jwt_header_query('\$.alg')
    http-request set-var(txn.client) var(txn.token),jwt_payload_query('\$.client_id')
    http-request set-var(txn.scope) var(txn.token),jwt_payload_query('\$.scope')
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('\$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless { var(txn.alg) -m str ES256 }
    http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"$PEER_KEY") 1 }
    http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
    http-request deny deny_status 403 unless { var(txn.scope) -m sub default }
    http-request track-sc0 var(txn.client) table table0
    http-request track-sc1 path table table1
    http-request track-sc2 src table table2
    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000000 } || { sc_http_req_rate(1) gt 1000000000 } || { sc_http_req_rate(2) gt 1000000000 }
    default_backend out
backend out
    server one 127.0.0.1:$BACKEND
CONF
    } >"$WORK/haproxy_jwt/conf"
    haproxy -D -f "$WORK/haproxy_jwt/conf" >"$WORK/haproxy_jwt/log" 2>&1 || { cat "$WORK/haproxy_jwt/log" >&2; die "haproxy did not start"; }
}

nginx_head() { # name
    [ "$(id -u)" -ne 0 ] || echo "user www-data;"
    cat <<CONF
worker_processes $(nproc);
pid ${PIDFILE[$1]};
error_log $WORK/$1/error.log;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 4096; }
http {
    log_format same '\$remote_addr \$remote_user [\$time_local] "\$request" \$status \$bytes_sent \$request_time \$request_id';
    access_log $WORK/$1/access.log same;
    client_body_temp_path $WORK/$1/a; proxy_temp_path $WORK/$1/b; fastcgi_temp_path $WORK/$1/c; uwsgi_temp_path $WORK/$1/d; scgi_temp_path $WORK/$1/e;
    keepalive_requests 100000000;
    upstream out { server 127.0.0.1:$BACKEND; keepalive 64; keepalive_requests 100000000; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Request-ID \$request_id;
CONF
}

nginx_start() { /usr/sbin/nginx -c "$WORK/$1/conf" -e "$WORK/$1/error.log" >"$WORK/$1/log" 2>&1 || { cat "$WORK/$1/log" >&2; die "nginx ($1) did not start"; }; }

# The cheapest auth_request there can be: a server of the same nginx that knows the token by heart. Three limit_req zones.
peer_nginx_auth() {
    peer_at nginx_auth $((PORT + 5)) opaque
    {
        nginx_head nginx_auth
        cat <<CONF
    map_hash_bucket_size 512;
    map \$http_authorization \$known { default 0; "${HEADER[opaque]#Authorization: }" 1; }
    limit_req_zone \$http_authorization zone=one:10m rate=1000000r/s;
    limit_req_zone \$uri zone=two:10m rate=1000000r/s;
    limit_req_zone \$binary_remote_addr zone=three:10m rate=1000000r/s;
    upstream auth { server 127.0.0.1:$((PORT + 6)); keepalive 64; keepalive_requests 100000000; }
    server { listen 127.0.0.1:$((PORT + 6)); access_log off; location / { if (\$known) { return 204; } return 401; } }
    server {
        listen 127.0.0.1:$((PORT + 5)) backlog=1024;
        location = /auth { internal; proxy_pass http://auth; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Connection ""; }
        location / {
            auth_request /auth;
            limit_req zone=one burst=1000000 nodelay; limit_req zone=two burst=1000000 nodelay; limit_req zone=three burst=1000000 nodelay;
            proxy_pass http://out;
        }
    }
}
CONF
    } >"$WORK/nginx_auth/conf"
    nginx_start nginx_auth
}

# All of it in Lua: the token in a shared dictionary, its subscription and scopes, three counters, statistics.
peer_nginx_lua() {
    peer_at nginx_lua $((PORT + 7)) opaque
    {
        nginx_head nginx_lua
        cat <<CONF
    lua_shared_dict tokens 16m; lua_shared_dict counters 16m; lua_shared_dict statistics 16m;
    init_by_lua_block {
        ngx.shared.tokens:set("${HEADER[opaque]#Authorization: Bearer }", "app1|/bench/1.0.0|default|4000000000")
    }
    server {
        listen 127.0.0.1:$((PORT + 7)) backlog=1024;
        location / {
            access_by_lua_block {
                local token = string.match(ngx.var.http_authorization or "", "^Bearer (.+)\$")
                local about = token and ngx.shared.tokens:get(token)
                if not about then return ngx.exit(401) end
                local app, context, scopes, exp = string.match(about, "([^|]*)|([^|]*)|([^|]*)|(%d+)")
                if tonumber(exp) < ngx.time() then return ngx.exit(401) end
                if context ~= "/bench/1.0.0" or not string.find(scopes, "default", 1, true) then return ngx.exit(403) end
                local minute, counters = math.floor(ngx.time() / 60), ngx.shared.counters
                for _, name in ipairs({"a:" .. app, "s:" .. app .. context, "r:" .. context .. ngx.var.uri}) do
                    if counters:incr(name .. ":" .. minute, 1, 0, 120) > 1000000000 then return ngx.exit(429) end
                end
                ngx.ctx.app = app
            }
            log_by_lua_block {
                local s, app = ngx.shared.statistics, ngx.ctx.app or "-"
                s:incr(app .. ngx.status, 1, 0)
                s:incr(app .. "time", ngx.var.request_time * 1000, 0)
            }
            proxy_pass http://out;
        }
    }
}
CONF
    } >"$WORK/nginx_lua/conf"
    nginx_start nginx_lua
}

peer_httpd() { # name, port, credentials, module, directives on standard input
    local modules
    peer_at "$1" "$2" "$3"
    modules=$(sed -n 's/^Define HTTPD_MODULES "\(.*\)"/\1/p' "$WORK/run/conf/httpd.conf")
    {
        plain_httpd "$1" "$2"
        echo "LoadModule ${4%%:*}_module \"$modules/${4#*:}\""
        cat
        printf 'ProxyPass "/items" "http://127.0.0.1:%s/items"\n' "$BACKEND"
    } >"$WORK/$1/httpd.conf"
    "$HTTPD" -d "$WORK/$1" -f "$WORK/$1/httpd.conf" -k start >"$WORK/$1/start.log" 2>&1 || { cat "$WORK/$1/start.log" "$WORK/$1/error.log" >&2; die "httpd ($1) did not start"; }
}

# mod_auth_openidc as resource server, its answers from its cache in shared memory. No limits, no subscription. It asks over TLS only.
peer_openidc_intro() {
    mkdir -p "$WORK/tls"
    PIDFILE[tls]=$WORK/tls/pid
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout "$WORK/tls/key.pem" -out "$WORK/tls/cert.pem" 2>/dev/null
    {
        nginx_head tls
        printf 'server { listen 127.0.0.1:%s ssl; ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem; location / { proxy_pass %s; } } }\n' \
            $((PORT + 13)) "$WORK/tls" "$WORK/tls" "$URL"
    } >"$WORK/tls/conf"
    nginx_start tls
    peer_httpd openidc_intro $((PORT + 8)) own auth_openidc:mod_auth_openidc.so <<CONF
OIDCCacheType shm
OIDCOAuthRemoteUserClaim client_id
OIDCOAuthIntrospectionEndpoint https://127.0.0.1:$((PORT + 13))/oauth2/introspect
OIDCOAuthSSLValidateServer Off
OIDCOAuthClientID ${PEER_CLIENT%%:*}
OIDCOAuthClientSecret ${PEER_CLIENT#*:}
OIDCOAuthIntrospectionEndpointAuth client_secret_basic
<Location />
AuthType oauth20
Require claim scope:default
</Location>
CONF
}

peer_openidc_jwt() {
    peer_httpd openidc_jwt $((PORT + 9)) jwt auth_openidc:mod_auth_openidc.so <<CONF
OIDCCacheType shm
OIDCOAuthRemoteUserClaim client_id
OIDCOAuthVerifyJwksUri https://127.0.0.1:$((PORT + 13))/oauth2/jwks
OIDCOAuthSSLValidateServer Off
<Location />
AuthType oauth20
Require claim scope:default
</Location>
CONF
}

peer_oauth2_intro() {
    peer_httpd oauth2_intro $((PORT + 10)) own oauth2:mod_oauth2.so <<CONF
OAuth2Cache shm
<Location />
AuthType oauth2
OAuth2TokenVerify introspect $URL/oauth2/introspect introspect.ssl_verify=false&introspect.auth=client_secret_basic&client_id=${PEER_CLIENT%%:*}&client_secret=${PEER_CLIENT#*:}
Require oauth2_claim scope:default
</Location>
CONF
}

peer_oauth2_jwt() {
    peer_httpd oauth2_jwt $((PORT + 11)) jwt oauth2:mod_oauth2.so <<CONF
OAuth2Cache shm
<Location />
AuthType oauth2
OAuth2TokenVerify jwks_uri $URL/oauth2/jwks jwks_uri.ssl_verify=false
Require oauth2_claim scope:default
</Location>
CONF
}

# One process: the JWT's signature once, then from a Map; three counters; node:http in and out.
peer_node() {
    peer_at node $((PORT + 12)) jwt
    cat >"$WORK/node/gateway.mjs" <<'JS'
import http from 'node:http'
import { createPublicKey, verify } from 'node:crypto'
import { appendFile, readFileSync, writeFileSync } from 'node:fs'
const [port, backend, pem, folder] = process.argv.slice(2)
const key = createPublicKey(readFileSync(pem)), known = new Map(), counters = new Map()
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
let lines = []
setInterval(() => { if (lines.length) { const out = lines.join(''); lines = []; appendFile(folder + '/access.log', out, () => {}) } }, 200)
function claims(token) {
  let c = known.get(token)
  if (!c) {
    const [h, p, s] = token.split('.')
    if (JSON.parse(Buffer.from(h, 'base64url')).alg !== 'ES256' || !verify('sha256', Buffer.from(`${h}.${p}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(s, 'base64url'))) return null
    c = JSON.parse(Buffer.from(p, 'base64url'))
    known.set(token, c)
  }
  return c.exp * 1000 > Date.now() ? c : null
}
const over = (name, minute) => {
  const k = name + minute, n = (counters.get(k) ?? 0) + 1
  counters.set(k, n)
  return n > 1e9
}
http.createServer({ keepAlive: true }, (req, res) => {
  const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1]
  const c = token && claims(token)
  const refuse = (status) => { res.writeHead(status); res.end() }
  if (!c) return refuse(401)
  if (!c.scope.split(' ').includes('default')) return refuse(403)
  const minute = Math.floor(Date.now() / 60000)
  if (over('a' + c.client_id, minute) || over('s' + c.client_id, minute) || over('r' + req.url, minute)) return refuse(429)
  const out = http.request({ port: backend, host: '127.0.0.1', path: req.url, method: req.method, headers: req.headers, agent }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers)
    answer.pipe(res)
    lines.push(`${req.socket.remoteAddress} ${c.client_id} "${req.method} ${req.url}" ${answer.statusCode}\n`)
  })
  out.on('error', () => refuse(502))
  req.pipe(out)
}).listen(port, '127.0.0.1', () => writeFileSync(folder + '/pid', String(process.pid)))
JS
    node "$WORK/node/gateway.mjs" $((PORT + 12)) "$BACKEND" "$PEER_KEY" "$WORK/node" >"$WORK/node/log" 2>&1 &
    for _ in {1..50}; do [ -s "$WORK/node/pid" ] && return; sleep 0.1; done
    cat "$WORK/node/log" >&2
    die "the Node gateway did not start"
}
