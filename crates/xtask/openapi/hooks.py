"""What schemathesis cannot read out of the API document.

A request that fits the schema may be refused all the same for what it means: a page token that no list gave, a range
that ends before it begins. Each of these is listed here; every other refusal of such a request is a finding.
"""

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

# Codes that say by themselves what no schema can, wherever they come.
MEANINGS = {
    "PAGE_TOKEN_INVALID": "a token is good for the list that gave it",
    "FILTER_INVALID": "a filter has a grammar of its own",
    "KEY_INVALID": "package URLs and vulnerability ids have grammars of their own",
    "CRON_INVALID": "cron has a grammar of its own",
    "POLICY_INVALID": "a policy is YAML with expressions of its own",
    "IDEMPOTENCY_KEY_REUSED": "a key belongs to its first body",
    "VERSION_MISMATCH": "the thing changed since it was read",
    "PAYLOAD_TOO_LARGE": "the body is larger than the path takes",
}

# Codes, and fields whose value fits and yet cannot be meant, of one operation.
OF_ONE = {
    # A range has an order, an end, and a length in windows.
    "POST /api/v1/backfills": {"to", "BACKFILL_TOO_LARGE", "BACKFILL_BEYOND_RETENTION", "sourceId"},
    # Either `start` and `end`, or `cron` and `durationS`; the key depends on the kind; zones and times are looked up.
    "POST /api/v1/blackouts": {"start", "end", "cron", "timeZone", "targets"},
    # A job type or a host, by `kind`.
    "POST /api/v1/breakers": {"key"},
    # An override has an end only with a rate, and within a day.
    "POST /api/v1/buckets/{id}:override": {"until"},
    # Each verb has parameters of its own, and ids are those of its things.
    "POST /api/v1/change-sets": {"parameters.priority", "parameters.code", "parameters.note", "options.afterFirst",
                                 "selection", "selection.ids", "selection.excluding", "selection.filter"},
    "POST /api/v1/change-sets/{id}:start": {"selection"},
    # Exactly one of `ids` and `filter`; without a dry run its hash.
    "POST /api/v1/deadletter:preview": {"ids"},
    "POST /api/v1/deadletter:batchReplay": {"ids", "selectionHash"},
    "POST /api/v1/deadletter:batchResolve": {"ids", "selectionHash"},
    # The payload is checked with the job type of the entry.
    "POST /api/v1/deadletter/{id}:replay": {"payload"},
    # Moments that have to lie in the future.
    "POST /api/v1/deadletter:mute": {"until"},
    "POST /api/v1/quotas/{id}:update": {"revertAt"},
    "POST /api/v1/quotas/{id}:pause": {"until"},
    # A run about nothing is refused, and keys have to be readable.
    "POST /api/v1/runs": {"scope.digests", "scope.namespaces", "scope.repositories", "scope.labels", "purls"},
    "POST /api/v1/runs:preview": {"scope.digests", "scope.namespaces", "scope.repositories", "scope.labels", "purls"},
    # Any JSON may be brought; only an SBOM is taken.
    "POST /api/v1/sboms": {"SBOM_INVALID", "SBOM_UNSUPPORTED"},
    # A pool follows the rule or has a limit.
    "POST /api/v1/pools:limit": {"follow"},
    # Zones are looked up, a run about nothing is refused.
    "POST /api/v1/schedules": {"timezone", "scope.digests", "scope.namespaces", "scope.repositories",
                               "scope.labels", "purls"},
    "POST /api/v1/schedules/{id}:update": {"timezone", "scope.digests", "scope.namespaces",
                                           "scope.repositories", "scope.labels", "purls"},
    "POST /api/v1/schedules:preview": {"timezone", "resumeAt"},
    "POST /api/v1/schedules/{id}:pause": {"resumeAt"},
    # The threshold is one of the bounds that are counted, and only latency has one.
    "POST /api/v1/slos": {"thresholdMs", "jobType"},
    "POST /api/v1/slos/{id}:update": {"thresholdMs"},
    # A location is looked at by its kind; a type of its own has a custom source only.
    "POST /api/v1/sources": {"location"},
    "POST /api/v1/sources/{id}:update": {"location", "jobType"},
    "POST /api/v1/sources/{id}:resetWatermark": {"lowWatermark"},
    # To take what looks wrong needs a reason.
    "POST /api/v1/sources/{id}:run": {"REASON_REQUIRED"},
    "POST /api/v1/sources/{id}:skipWindow": {"end"},
    # The words of a list.
    "POST /api/v1/worker/register": {"jobTypes"},
    # What was brought before has to be named.
    "POST /api/v1/worker/leases/{id}:complete": {"artifacts", "ARTIFACT_DIGEST_MISMATCH"},
    "PUT /api/v1/worker/leases/{id}/artifacts/{name}": {"artifacts", "ARTIFACT_DIGEST_MISMATCH"},
    # A graph has no circle and an end.
    "POST /api/v1/edges": {"DAG_CYCLE", "DAG_TOO_LARGE", "DAG_CROSS_TENANT"},
    "POST /api/v1/jobs": {"DAG_CYCLE", "DAG_TOO_LARGE", "DAG_CROSS_TENANT"},
}


class Refused(Failure):
    """A request that fits the schema was refused for another reason than what it means."""

    @property
    def _unique_key(self):
        return self.title


# Which answer leads to which things: the id in the path of the operations below it.
LEADS = [
    ("/api/v1/jobs", "get", "#/items/0/jobId", "/api/v1/jobs/{id}"),
    ("/api/v1/jobs", "post", "#/jobId", "/api/v1/jobs/{id}"),
    ("/api/v1/deadletter", "get", "#/items/0/entryId", "/api/v1/deadletter/{id}"),
    ("/api/v1/incidents", "get", "#/items/0/incidentId", "/api/v1/incidents/{id}"),
    ("/api/v1/sources", "get", "#/items/0/sourceId", "/api/v1/sources/{id}"),
    ("/api/v1/backfills", "post", "#/backfillId", "/api/v1/backfills/{id}"),
    ("/api/v1/change-sets", "post", "#/changeSetId", "/api/v1/change-sets/{id}"),
    ("/api/v1/views", "post", "#/viewId", "/api/v1/views/{id}"),
    ("/api/v1/quotas", "post", "#/quotaId", "/api/v1/quotas/{id}"),
    ("/api/v1/quotas", "get", "#/items/0/quotaId", "/api/v1/quotas/{id}"),
    ("/api/v1/breakers", "post", "#/breakerId", "/api/v1/breakers/{id}"),
    ("/api/v1/blackouts", "post", "#/blackoutId", "/api/v1/blackouts/{id}"),
    ("/api/v1/throttles", "get", "#/items/0/throttleId", "/api/v1/throttles/{id}"),
    ("/api/v1/pressure", "get", "#/buckets/0/bucketId", "/api/v1/buckets/{id}"),
    ("/api/v1/slos", "post", "#/sloId", "/api/v1/slos/{id}"),
    ("/api/v1/runs", "get", "#/items/0/runId", "/api/v1/runs/{id}"),
    ("/api/v1/runs", "post", "#/runId", "/api/v1/runs/{id}"),
    ("/api/v1/targets", "get", "#/items/0/targetId", "/api/v1/targets/{id}"),
    ("/api/v1/workers", "get", "#/items/0/workerId", "/api/v1/workers/{id}"),
    ("/api/v1/worker/claim", "post", "#/leases/0/leaseId", "/api/v1/worker/leases/{id}"),
]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    parameters = raw_schema["components"]["parameters"]
    # One key with ever other bodies is refused for that alone.
    del parameters["IdempotencyKey"]["example"]
    # A token knows one tenant; a request for any other tells nothing.
    parameters["Tenant"]["schema"] = {"type": "string", "enum": ["acme", ""]}
    for path, method, place, below in LEADS:
        answers = raw_schema["paths"][path][method]["responses"]
        links = next(answers[status] for status in ("200", "201", "202") if status in answers).setdefault("links", {})
        for target, item in raw_schema["paths"].items():
            for operation in item.values() if target.startswith(below) else ():
                link = {"operationId": operation["operationId"], "parameters": {"id": f"$response.body{place}"}}
                if below.endswith("leases/{id}") and "requestBody" in operation:
                    link["requestBody"] = {"leaseEpoch": "$response.body#/leases/0/leaseEpoch"}
                links[operation["operationId"]] = link


@schemathesis.check
def refused_for_its_form(ctx, response, case):
    """A request that fits the schema is refused for its meaning only."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        error = response.json()["error"]
        fields = [detail["field"] for detail in error.get("details", [])]
        known = OF_ONE.get(case.operation.label, set())
        if error["code"] in MEANINGS or error["code"] in known:
            return
        if fields and all(field.split("[")[0] in known for field in fields):
            return
        what = f"{error['code']} {fields}"
        raise Refused(operation=case.operation.label, title=what, message=f"{what}: {error['message']}") from None


@schemathesis.check
def taken_against_its_form(ctx, response, case):
    """A request that breaks the schema is refused."""
    # The same key with the same body is answered as it was at first, whatever else the request says now.
    if "true" in response.headers.get("idempotency-replayed", []):
        return
    negative_data_rejection(ctx, response, case)
