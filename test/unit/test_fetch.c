/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "openapi/fetch.h"

/* A server on 127.0.0.1 in a thread of this process: answers each connection with the same bytes. */
typedef struct server_t {
    int fd, port;
    const char *answer;
    int connections;
    pthread_t thread;
} server_t;

static void *serve(void *baton)
{
    server_t *s = baton;
    char request[4096];
    int fd;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        __atomic_fetch_add(&s->connections, 1, __ATOMIC_SEQ_CST);
        if (recv(fd, request, sizeof(request), 0) > 0 && s->answer) {
            send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
        }
        else if (!s->answer) {
            recv(fd, request, sizeof(request), 0); /* until the client gives up */
        }
        close(fd);
    }
    return NULL;
}

static void start(server_t *s, const char *answer)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(s, 0, sizeof(*s));
    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)(void *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s->fd, 16), 0);
    getsockname(s->fd, (struct sockaddr *)(void *)&address, &len);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(server_t *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static apim_error_t *fetch(apr_pool_t *p, const server_t *s, const char *host,
                           const apim_fetch_options_t *options, apim_fetched_t **out)
{
    return apim_fetch(p, apr_psprintf(p, "http://%s:%d/doc.yaml", host, s->port), options, out);
}

static void assert_says(apim_error_t *err, int code, const char *says)
{
    assert_non_null(err);
    assert_int_equal(err->status, 400);
    assert_int_equal(err->code, code);
    if (!strstr(err->description, says)) {
        fail_msg("\"%s\" does not say \"%s\"", err->description, says);
    }
}

static void test_fetches(void **state)
{
    apr_pool_t *p = *state;
    apim_fetch_options_t any = {.allow_internal = 1}, listed = {.allow_cidrs = "10.0.0.0/8, 127.0.0.1"};
    apim_fetched_t *got;
    server_t s;
    start(&s, "HTTP/1.0 200 OK\r\nContent-Type: application/yaml\r\nContent-Length: 5\r\n\r\na: 1\n");
    assert_null(fetch(p, &s, "127.0.0.1", &any, &got));
    assert_string_equal(got->body, "a: 1\n");
    assert_int_equal(got->len, 5);
    assert_string_equal(got->content_type, "application/yaml");
    assert_null(fetch(p, &s, "127.0.0.1", &listed, &got));
    assert_null(fetch(p, &s, "localhost", &listed, &got));
    stop(&s);
    assert_int_equal(s.connections, 3);
}

/* Every way to write this machine is the same address in the end; none of them is connected to. */
static void test_refuses_internal(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",          "localhost",      "127.1",   "2130706433",
                                        "0x7f000001",         "0177.0.0.1",     "0.0.0.0", "127.9.9.9",
                                        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"};
    apr_pool_t *p = *state;
    apim_fetched_t *got;
    server_t s;
    size_t i;
    start(&s, "HTTP/1.0 200 OK\r\n\r\n");
    for (i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        assert_says(fetch(p, &s, hosts[i], NULL, &got), 900756, "internal address");
        assert_null(got);
    }
    stop(&s);
    assert_int_equal(s.connections, 0);
}

static void test_internal_ranges(void **state)
{
    static const char *const hosts[] = {"10.0.0.1",
                                        "172.16.0.1",
                                        "172.31.255.255",
                                        "192.168.0.1",
                                        "169.254.169.254",
                                        "100.64.0.1",
                                        "100.127.255.254",
                                        "192.0.0.1",
                                        "198.18.0.1",
                                        "198.19.255.1",
                                        "224.0.0.1",
                                        "239.255.255.250",
                                        "240.0.0.1",
                                        "255.255.255.255",
                                        "0.1.2.3",
                                        "[::]",
                                        "[::1]",
                                        "[::127.0.0.1]",
                                        "[fe80::1]",
                                        "[fc00::1]",
                                        "[fd12:3456::1]",
                                        "[fec0::1]",
                                        "[ff02::1]",
                                        "[64:ff9b::10.0.0.1]",
                                        "[64:ff9b:1::1]",
                                        "[2002:7f00:1::]",
                                        "[2002:a00:1::1]",
                                        "[2001:0:1::1]",
                                        "[2001:db8::1]",
                                        "[::ffff:10.0.0.1]",
                                        "[::ffff:0:10.0.0.1]",
                                        "[::ffff:169.254.169.254]",
                                        "[100::1]",
                                        "[fd00:ec2::254]"};
    apr_pool_t *p = *state;
    apim_fetch_options_t soon = {.timeout_ms = 2000};
    apim_fetched_t *got;
    size_t i;
    for (i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        apim_error_t *err = apim_fetch(p, apr_psprintf(p, "http://%s/", hosts[i]), &soon, &got);
        if (!err || !strstr(err->description, "internal address")) {
            fail_msg("%s: %s", hosts[i], err ? err->description : "fetched");
        }
    }
}

static void test_redirects(void **state)
{
    apr_pool_t *p = *state;
    apim_fetch_options_t here = {.allow_cidrs = "127.0.0.1"},
                         none = {.allow_internal = 1, .max_redirects = -1};
    apim_fetched_t *got;
    server_t s, loop;
    start(&s, "HTTP/1.0 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: "
              "0\r\n\r\n");
    assert_says(fetch(p, &s, "127.0.0.1", &here, &got), 900756, "internal address 169.254.169.254");
    assert_says(fetch(p, &s, "127.0.0.1", &none, &got), 900757, "status 302");
    stop(&s);
    start(&s, "HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
    assert_says(fetch(p, &s, "127.0.0.1", &here, &got), 900756, "could not be fetched");
    stop(&s);
    start(&loop, "HTTP/1.0 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
    assert_says(fetch(p, &loop, "127.0.0.1", &here, &got), 900756, "redirects too often");
    stop(&loop);
    assert_int_equal(loop.connections, 4);
}

static void test_bad_answers(void **state)
{
    apr_pool_t *p = *state;
    apim_fetch_options_t small = {.allow_internal = 1, .max_bytes = 10, .timeout_ms = 1000};
    apim_fetched_t *got;
    server_t s;
    start(&s, "HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    assert_says(fetch(p, &s, "127.0.0.1", &small, &got), 900757, "status 404");
    stop(&s);
    start(&s, "HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\n01234567890");
    assert_says(fetch(p, &s, "127.0.0.1", &small, &got), 900756, "more than 10 bytes");
    stop(&s);
    start(&s, "HTTP/1.0 200 OK\r\n\r\n01234567890"); /* no length told */
    assert_says(fetch(p, &s, "127.0.0.1", &small, &got), 900756, "more than 10 bytes");
    stop(&s);
    start(&s, NULL);
    assert_says(fetch(p, &s, "127.0.0.1", &small, &got), 900756, "did not answer in time");
    stop(&s);
    assert_says(fetch(p, &s, "127.0.0.1", &small, &got), 900756, "could not be fetched"); /* nobody there */
}

static void test_urls(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "ftp://example.com/",
                                      "file:///etc/passwd",
                                      "gopher://example.com",
                                      "http://",
                                      "http://user@example.com/",
                                      "http://user:pw@example.com/",
                                      "http://exa mple.com/",
                                      "http://example.com/\r\nX: y",
                                      "dict://example.com:11211/",
                                      "javascript:alert(1)",
                                      "//example.com/",
                                      "http:/example.com",
                                      "http:example.com",
                                      "http://example.com:99999/"};
    apr_pool_t *p = *state;
    apim_fetched_t *got;
    size_t i;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (apim_fetch_url_valid(bad[i])) {
            fail_msg("\"%s\" is taken for valid", bad[i]);
        }
        assert_says(apim_fetch(p, bad[i], NULL, &got), 900756, "The URL");
    }
    assert_says(apim_fetch(p, NULL, NULL, &got), 900756, "missing");
    assert_true(apim_fetch_url_valid("https://example.com"));
    assert_true(apim_fetch_url_valid("HTTP://example.com:8080/a/b?c=d"));
    assert_true(apim_fetch_url_valid("http://[2001:db8::1]:80/"));
    assert_false(apim_fetch_url_valid(NULL));
}

static void test_cidrs(void **state)
{
    apr_pool_t *p = *state;
    assert_null(apim_fetch_check_cidrs(p, NULL));
    assert_null(apim_fetch_check_cidrs(p, "10.0.0.0/8,::1 fd00::/8  192.168.1.1"));
    assert_non_null(apim_fetch_check_cidrs(p, "example.com"));
    assert_non_null(apim_fetch_check_cidrs(p, "10.0.0.0/33"));
    assert_non_null(apim_fetch_check_cidrs(p, "10.0.0.0/-1"));
    assert_non_null(apim_fetch_check_cidrs(p, "10.0.0.0/x"));
    assert_non_null(apim_fetch_check_cidrs(p, "::/129"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_fetches),   unit_case(test_refuses_internal), unit_case(test_internal_ranges),
        unit_case(test_redirects), unit_case(test_bad_answers),      unit_case(test_urls),
        unit_case(test_cidrs),
    };
    /* what the environment says must not matter */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    apim_fetch_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
