// Loads an exported piece, checks it with Activepieces' own schema, and runs its actions.
//   node activepieces.mjs piece.mjs cases.json
// Each case: { name, props, answer }. A server on loopback answers in the FHIR server's place.
// Prints { problems, names, runs: [{ url, authorization, found }] } as JSON.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import framework from "@activepieces/pieces-framework";

const [module, path] = process.argv.slice(2);
const cases = JSON.parse(readFileSync(path, "utf8"));
const { practiceFusion, auth } = await import(pathToFileURL(module));

const metadata = practiceFusion.metadata();
const checked = framework.PieceMetadata.safeParse({
  ...metadata,
  name: "@practicefusion/piece",
  version: "0.1.0",
});
const problems = checked.success ? [] : checked.error.issues;

let next;
const asked = [];
const server = createServer(({ url, headers }, response) => {
  asked.push({ url, authorization: headers.authorization });
  response.setHeader("Content-Type", "application/fhir+json");
  response.end(JSON.stringify(next));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const connection = {
  access_token: "token-of-the-test",
  props: { fhir_base_url: `http://127.0.0.1:${server.address().port}` },
};

const runs = [];
for (const { name, props, answer } of cases) {
  next = answer;
  const found = await practiceFusion.actions()[name].run({ auth: connection, propsValue: props });
  runs.push({ ...asked.at(-1), found });
}
server.close();
server.closeAllConnections();
const names = Object.keys(metadata.actions);
console.log(JSON.stringify({ problems, names, runs, auth, props: metadata.actions }));
