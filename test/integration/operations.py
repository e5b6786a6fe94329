# SPDX-License-Identifier: Apache-2.0
"""All operations of the portal's REST APIs, and who may call them with the scopes that WSO2 API Manager's roles have.

who: S subscriber, C creator, P publisher, A admin; L any user with a token; * everybody, also without a token.
"""
import pathlib
import re

from support import SOURCE

PUBLISHER, STORE, ADMIN, SIGNUP = "/api/am/publisher/v4", "/api/am/devportal/v3", "/api/am/admin/v4", "/api/identity/user/v1.0"
FILES = {PUBLISHER: "publisher_routes.c", STORE: "store_routes.c", ADMIN: "admin_routes.c", SIGNUP: "signup_resource.c"}


def _table(base, text):
    return [(base, *line.split()) for line in text.strip().splitlines()]


OPERATIONS = _table(PUBLISHER, """
    GET    /swagger.yaml                                   *
    GET    /openapi.json                                   *
    POST   /apis/change-lifecycle                          PA
    POST   /apis/copy-api                                  CA
    POST   /apis/import-openapi                            CA
    POST   /apis/validate-openapi                          CPA
    POST   /apis/validate                                  CPA
    POST   /apis/validate-endpoint                         CPA
    GET    /apis/export                                    A
    POST   /apis/import                                    A
    GET    /apis                                           CPA
    POST   /apis                                           CA
    GET    /apis/{apiId}                                   CPA
    PUT    /apis/{apiId}                                   CPA
    DELETE /apis/{apiId}                                   CA
    GET    /apis/{apiId}/swagger                           CPA
    PUT    /apis/{apiId}/swagger                           CPA
    GET    /apis/{apiId}/lifecycle-state                   CPA
    GET    /apis/{apiId}/lifecycle-history                 CPA
    DELETE /apis/{apiId}/lifecycle-state/pending-tasks     PA
    GET    /apis/{apiId}/revisions                         CPA
    POST   /apis/{apiId}/revisions                         CPA
    GET    /apis/{apiId}/revisions/{revisionId}            CPA
    DELETE /apis/{apiId}/revisions/{revisionId}            CPA
    POST   /apis/{apiId}/deploy-revision                   CPA
    POST   /apis/{apiId}/undeploy-revision                 CPA
    POST   /apis/{apiId}/restore-revision                  CPA
    GET    /apis/{apiId}/deployments                       CPA
    GET    /apis/{apiId}/thumbnail                         CPA
    PUT    /apis/{apiId}/thumbnail                         CPA
    POST   /apis/{apiId}/documents/validate                CPA
    GET    /apis/{apiId}/documents                         CPA
    POST   /apis/{apiId}/documents                         CPA
    GET    /apis/{apiId}/documents/{documentId}            CPA
    PUT    /apis/{apiId}/documents/{documentId}            CPA
    DELETE /apis/{apiId}/documents/{documentId}            CPA
    GET    /apis/{apiId}/documents/{documentId}/content    CPA
    POST   /apis/{apiId}/documents/{documentId}/content    CPA
    GET    /apis/{apiId}/comments                          CPA
    POST   /apis/{apiId}/comments                          CPA
    GET    /apis/{apiId}/comments/{commentId}              CPA
    PATCH  /apis/{apiId}/comments/{commentId}              CPA
    DELETE /apis/{apiId}/comments/{commentId}              CPA
    GET    /apis/{apiId}/comments/{commentId}/replies      CPA
    GET    /apis/{apiId}/ratings                           CPA
    GET    /search                                         CPA
    GET    /subscriptions                                  CPA
    POST   /subscriptions/block-subscription               PA
    POST   /subscriptions/unblock-subscription             PA
    GET    /throttling-policies/{policyLevel}              CPA
    GET    /throttling-policies/{policyLevel}/{policyName} CPA
    GET    /scopes                                         CPA
    POST   /scopes                                         A
    GET    /scopes/{scopeId}                               CPA
    PUT    /scopes/{scopeId}                               A
    DELETE /scopes/{scopeId}                               A
    GET    /api-categories                                 CPA
    GET    /key-managers                                   CPA
    GET    /settings                                       CPA
    GET    /usage                                          CPA
    GET    /environments                                   CPA
""") + _table(STORE, """
    GET    /swagger.yaml                                   *
    GET    /openapi.json                                   *
    GET    /apis                                                             *
    GET    /apis/{apiId}                                                     *
    GET    /apis/{apiId}/swagger                                             *
    GET    /apis/{apiId}/subscription-policies                               *
    GET    /apis/{apiId}/thumbnail                                           *
    GET    /apis/{apiId}/documents                                           *
    GET    /apis/{apiId}/documents/{documentId}                              *
    GET    /apis/{apiId}/documents/{documentId}/content                      *
    GET    /apis/{apiId}/ratings                                             *
    GET    /apis/{apiId}/user-rating                                         SA
    PUT    /apis/{apiId}/user-rating                                         SA
    DELETE /apis/{apiId}/user-rating                                         SA
    GET    /apis/{apiId}/comments                                            *
    POST   /apis/{apiId}/comments                                            SA
    GET    /apis/{apiId}/comments/{commentId}                                *
    PATCH  /apis/{apiId}/comments/{commentId}                                SA
    DELETE /apis/{apiId}/comments/{commentId}                                SA
    GET    /apis/{apiId}/comments/{commentId}/replies                        *
    GET    /api-categories                                                   *
    GET    /key-managers                                                     *
    GET    /tags                                                             *
    GET    /search                                                           *
    GET    /settings                                                         *
    GET    /throttling-policies/{policyLevel}                                *
    GET    /throttling-policies/{policyLevel}/{policyId}                     *
    POST   /me/change-password                                               L
    GET    /me/groups                                                        SA
    GET    /applications                                                     SA
    POST   /applications                                                     SA
    GET    /applications/{applicationId}                                     SA
    PUT    /applications/{applicationId}                                     SA
    DELETE /applications/{applicationId}                                     SA
    GET    /applications/{applicationId}/usage                               SA
    POST   /applications/{applicationId}/generate-keys                       SA
    GET    /applications/{applicationId}/oauth-keys                          SA
    GET    /applications/{applicationId}/oauth-keys/{keyMappingId}           SA
    PUT    /applications/{applicationId}/oauth-keys/{keyMappingId}           SA
    DELETE /applications/{applicationId}/oauth-keys/{keyMappingId}           SA
    POST   /applications/{applicationId}/oauth-keys/{keyMappingId}/regenerate-secret SA
    GET    /applications/{applicationId}/oauth-keys/{keyMappingId}/secrets   SA
    POST   /applications/{applicationId}/oauth-keys/{keyMappingId}/generate-secret   SA
    POST   /applications/{applicationId}/oauth-keys/{keyMappingId}/revoke-secret     SA
    POST   /applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token    SA
    POST   /applications/{applicationId}/oauth-keys/{keyMappingId}/clean-up  SA
    GET    /applications/{applicationId}/keys                                SA
    GET    /applications/{applicationId}/keys/{keyType}                      SA
    PUT    /applications/{applicationId}/keys/{keyType}                      SA
    POST   /applications/{applicationId}/keys/{keyType}/regenerate-secret    SA
    POST   /applications/{applicationId}/keys/{keyType}/generate-token       SA
    POST   /applications/{applicationId}/keys/{keyType}/clean-up             SA
    POST   /applications/{applicationId}/api-keys/{keyType}/generate         SA
    POST   /applications/{applicationId}/api-keys/{keyType}/revoke           SA
    GET    /subscriptions                                                    SA
    POST   /subscriptions                                                    SA
    POST   /subscriptions/multiple                                           SA
    GET    /subscriptions/{subscriptionId}                                   SA
    PUT    /subscriptions/{subscriptionId}                                   SA
    DELETE /subscriptions/{subscriptionId}                                   SA
""") + _table(ADMIN, """
    GET    /swagger.yaml                                   *
    GET    /openapi.json                                   *
    GET    /throttling/policies/search                    CPA
    GET    /throttling/policies/application               CPA
    POST   /throttling/policies/application               A
    GET    /throttling/policies/application/{policyId}    CPA
    PUT    /throttling/policies/application/{policyId}    A
    DELETE /throttling/policies/application/{policyId}    A
    GET    /throttling/policies/subscription              CPA
    POST   /throttling/policies/subscription              A
    GET    /throttling/policies/subscription/{policyId}   CPA
    PUT    /throttling/policies/subscription/{policyId}   A
    DELETE /throttling/policies/subscription/{policyId}   A
    GET    /throttling/policies/advanced                  CPA
    POST   /throttling/policies/advanced                  A
    GET    /throttling/policies/advanced/{policyId}       CPA
    PUT    /throttling/policies/advanced/{policyId}       A
    DELETE /throttling/policies/advanced/{policyId}       A
    GET    /throttling/deny-policies                      A
    POST   /throttling/deny-policies                      A
    GET    /throttling/deny-policy/{conditionId}          A
    PATCH  /throttling/deny-policy/{conditionId}          A
    DELETE /throttling/deny-policy/{conditionId}          A
    GET    /api-categories                                A
    POST   /api-categories                                A
    PUT    /api-categories/{apiCategoryId}                A
    DELETE /api-categories/{apiCategoryId}                A
    GET    /applications                                  A
    POST   /applications/{applicationId}/change-owner     A
    POST   /apis/{apiId}/change-provider                  A
    GET    /key-managers                                  A
    GET    /workflows                                     A
    POST   /workflows/update-workflow-status              A
    GET    /workflows/{externalWorkflowRef}               A
    POST   /workflow-callback                             *
    GET    /workflow-types                                A
    PUT    /workflow-types/{workflowType}                 A
    GET    /environments                                  A
    POST   /environments                                  A
    GET    /environments/{environmentId}                  A
    PUT    /environments/{environmentId}                  A
    DELETE /environments/{environmentId}                  A
    GET    /nodes                                         A
    GET    /settings                                      A
    GET    /users                                         A
    POST   /users                                         A
    GET    /users/{username}                              A
    PUT    /users/{username}                              A
    DELETE /users/{username}                              A
    GET    /roles                                         A
    POST   /roles                                         A
    DELETE /roles                                         A
""") + _table(SIGNUP, """
    POST   /me                                            *
""")


def _source_text(name):
    folder = pathlib.Path(SOURCE) / "modules" / "mod_apim_portal"
    return (folder / name).read_text(encoding="utf-8")


def _strings(expression, names):
    """The text of adjacent C string literals and macros."""
    parts = re.findall(r'"([^"]*)"|(\w+)', expression)
    return "".join(literal if literal or not name else names.get(name, "") for literal, name in parts)


def routes_in_source():
    """(base, method, path, scopes) of every route in the source; scopes is None for authentication alone."""
    names = {}
    for name in ("publisher.h", "store.h", "admin.h", *FILES.values()):
        for macro, value in re.findall(r"#define (\w+)\s+((?:\\?\s*\"[^\"\n]*\")+)", _source_text(name)):
            names[macro] = _strings(value, {})
    found = []
    for base, name in FILES.items():
        text = _source_text(name)
        generic = re.search(r"#define POLICIES\(LEVEL.*?\n\n", text, re.S)
        if generic:
            body = generic.group(0).replace("\\\n", "\n").split(")", 1)[1]
            text = text.replace(generic.group(0), "")
            text = re.sub(r'POLICIES\("(\w+)", \w+, \w+\)', lambda m, b=body: b.replace("LEVEL", f'"{m.group(1)}"'), text)
        for method, path, scopes in re.findall(r'\{\s*"(GET|POST|PUT|PATCH|DELETE)",\s*((?:"[^"]*"\s*)+),\s*[\w#]+,\s*([^,{}]+?),\s*\w+\s*\}', text):
            found.append((base, method, _strings(path, names), None if scopes.strip() == "NULL" else _strings(scopes, names)))
    return found
