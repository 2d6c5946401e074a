"""Fills the ledger behind a server with one of each thing, and brings the document and the figures.

    python seed.py http://127.0.0.1:PORT TOKEN FOLDER
"""

import json
import pathlib
import sys
import urllib.request

base, token, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def ask(method, path, body=None):
    request = urllib.request.Request(base + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("X-Stella-Operator-Reason", "one of each")
    request.add_header("X-Stella-Operator-Ticket", "OPS-1")
    if body is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def post(path, body=None):
    return ask("POST", f"/api/v1{path}", body)


# Jobs that failed for good, one that waits, and one that waits for that.
for number in range(8):
    post("/jobs", {"jobType": "seed.fail", "payload": {"n": number, "token": "hidden"}})
held = post("/jobs", {"jobType": "seed.hold", "payload": {}})
post("/jobs", {"jobType": "seed.hold", "payload": {}, "dependsOn": [{"jobId": held["jobId"], "kind": "on_success"}]})
worker = post("/worker/register", {"name": "seed", "version": "1", "hostname": "here",
                                   "jobTypes": ["seed.fail", "seed.hold"], "concurrency": 20})
claimed = post("/worker/claim", {"workerId": worker["workerId"], "jobTypes": ["seed.fail"], "max": 8, "waitS": 0})
for lease in claimed["leases"]:
    place, epoch = f"/worker/leases/{lease['leaseId']}", lease["leaseEpoch"]
    post(f"{place}:ack", {"leaseEpoch": epoch})
    post(f"{place}:fail", {"leaseEpoch": epoch, "category": "validation", "code": "SEEDED",
                           "message": "It was made to fail.", "httpStatus": 400, "host": "api.example"})

post("/quotas", {"jobType": "seed.hold", "maxActive": 4, "maxPerHour": 120, "burst": 10})
post("/breakers", {"kind": "host", "key": "api.example", "state": "open"})
post("/blackouts", {"targets": [{"kind": "host", "key": "api.example"}], "cron": "30 1 * * *", "durationS": 7200,
                    "timeZone": "Europe/Vienna", "action": "hold", "drainBeforeS": 600})
post("/slos", {"name": "seeded", "sli": "job_success", "target": 0.995, "jobType": "ingest.advisory"})
post("/views", {"page": "jobs", "name": "seeded", "query": "state=failed"})
post("/change-sets", {"verb": "cancel", "selection": {"kind": "ids", "ids": [held["jobId"]]}})
source = ask("GET", "/api/v1/sources")["items"][0]["sourceId"]
post("/backfills", {"sourceId": source, "from": "2026-11-01T00:00:00.000Z", "to": "2026-11-02T00:00:00.000Z"})

for path, name in [("/openapi/orchestrator.json", "orchestrator.json"), ("/metrics", "metrics.txt")]:
    with urllib.request.urlopen(base + path) as answer:
        (folder / name).write_bytes(answer.read())
